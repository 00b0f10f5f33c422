//! Explores and runs everything, and writes it down.

use super::audit::row::Row as Weakened;
use super::audit::{self, Attack};
use super::child;
use super::command::Error;
use super::kit::Kit;
use super::queue;
use super::sampled::{Check, Effort, Table};
use super::table::{Row, Sheet};
use crate::platform::origin;
use clap::{Args, ValueEnum};
use std::io;
use std::path::Path;
use std::thread;
use std::time::Instant;

/// What each case did.
pub(super) const MODELS: &str = "models.csv";
/// What became of each weakening.
pub(super) const ORDERINGS: &str = "orderings.csv";
/// Where what was measured comes from.
const NATIVE: &str = "native.csv";

#[derive(Debug, Args)]
pub(super) struct Record {
    /// Which results; all, if nothing is said. What is measured is written together: `stress` writes
    /// the litmus tests too, `litmus` only prints them.
    what: Option<What>,
    /// Only what has this text in its name; nothing is written then.
    text: Option<String>,
    /// On standard error, the seconds of each, and how to run what failed again.
    #[arg(long, short)]
    verbose: bool,
    #[command(flatten)]
    effort: Effort,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    Models,
    Orderings,
    Schedules,
    Progress,
    Snapshots,
    Stress,
    Litmus,
}

/// Does what is asked; returns how many surprises there were.
pub(super) fn main(kit: &Kit, asked: &Record) -> Result<usize, Error> {
    // What panics here is a row, and no message.
    std::panic::set_hook(Box::new(|_| {}));
    let mut recorder = Recorder {
        kit,
        asked,
        surprises: 0,
        found: 0,
    };
    let wants = |what| asked.what.is_none_or(|asked| asked == what);
    if wants(What::Models) {
        recorder.models()?;
    }
    if wants(What::Orderings) {
        recorder.orderings()?;
    }
    if wants(What::Schedules) {
        recorder.sampled(Table::Schedules)?;
    }
    if wants(What::Progress) {
        recorder.sampled(Table::Progress)?;
    }
    if wants(What::Snapshots) {
        recorder.sampled(Table::Snapshots)?;
    }
    if asked.what == Some(What::Litmus) {
        recorder.run(Table::Litmus)?;
    } else if wants(What::Stress) {
        recorder.native()?;
    }
    match (recorder.found, &asked.text) {
        (0, Some(text)) => Err(Error::Usage(format!("nothing has {text} in its name"))),
        _ => Ok(recorder.surprises),
    }
}

struct Recorder<'k> {
    kit: &'k Kit,
    asked: &'k Record,
    surprises: usize,
    found: usize,
}

impl Recorder<'_> {
    fn wants(&self, name: &str) -> bool {
        let text = self.asked.text.as_ref();
        text.is_none_or(|text| name.contains(text))
    }

    fn models(&mut self) -> Result<(), Error> {
        let mut cases = self.kit.cases();
        cases.retain(|case| self.wants(&case.key()));
        let names = |at: usize| cases[at].key();
        let work = |at: usize| {
            let case = &cases[at];
            let begin = Instant::now();
            let outcome = child::run(&["case", &case.key()])?.outcome;
            let surprise = (!case.expected.is_met_by(&outcome))
                .then(|| format!("{:?} was expected", case.expected));
            Ok((Row::new(case, &outcome, begin.elapsed()), surprise))
        };
        let mut sheet = Sheet::default();
        self.all(cases.len(), cpus(), names, work, |row| {
            sheet.row(row).and(sheet.flush())
        })?;
        self.write(MODELS, sheet)
    }

    fn orderings(&mut self) -> Result<(), Error> {
        let mut all = Vec::new();
        let claim = |subject: &&super::subject::Subject| subject.claims.holds;
        for subject in self.kit.subjects.iter().filter(claim) {
            let weakenings = audit::weakenings(subject)?;
            all.extend(weakenings.into_iter().map(|weakening| (subject, weakening)));
        }
        let name = |(subject, weakening): &(&super::subject::Subject, _)| {
            format!("{}/{weakening}", subject.name)
        };
        all.retain(|one| self.wants(&name(one)));
        let names = |at: usize| name(&all[at]);
        let work = |at: usize| {
            let (subject, weakening) = &all[at];
            let row: Weakened = audit::judge(subject, weakening, Attack::Whole)?;
            let surprise = (!row.is_settled()).then(|| "neither killed nor explained".to_owned());
            Ok((row, surprise))
        };
        let mut sheet = Sheet::default();
        self.all(all.len(), cpus(), names, work, |row| {
            sheet.row(row).and(sheet.flush())
        })?;
        self.write(ORDERINGS, sheet)
    }

    fn sampled(&mut self, table: Table) -> Result<(), Error> {
        let sheet = self.run(table)?;
        self.write(table.file(), sheet)
    }

    /// The stress, the litmus tests, and where both come from.
    fn native(&mut self) -> Result<(), Error> {
        let Some(results) = self.kit.results.as_ref() else {
            self.run(Table::Litmus)?;
            return self.run(Table::Stress).map(drop);
        };
        std::fs::create_dir_all(results)?;
        let origin = native_origin(results, &self.asked.effort);
        let litmus = self.run(Table::Litmus)?;
        let stress = self.run(Table::Stress)?;
        let mut native = Sheet::default();
        native.row(&["name", "value"])?;
        for (name, value) in &origin {
            native.row(&[name, value.as_str()])?;
        }
        // All or nothing as far as possible: written only now that everything has run.
        self.write(Table::Litmus.file(), litmus)?;
        self.write(Table::Stress.file(), stress)?;
        self.write(NATIVE, native)
    }

    fn run(&mut self, table: Table) -> Result<Sheet, Error> {
        let of_table = |check: &&Check| check.table == table && self.wants(&check.name);
        let checks: Vec<&Check> = self.kit.checks.iter().filter(of_table).collect();
        let mut sheet = Sheet::default();
        if !checks.is_empty() {
            sheet.header(table.header())?;
        }
        let workers = if table.is_native() { 1 } else { cpus() };
        let verbose = self.asked.verbose;
        let effort = self.asked.effort;
        let names = |at: usize| checks[at].name.clone();
        let work = |at: usize| {
            let lines = (checks[at].run)(&effort).map_err(io::Error::other)?;
            let surprises = lines.iter().filter(|line| !line.expected).count();
            Ok((lines, (surprises > 0).then(|| "not as expected".to_owned())))
        };
        self.all(checks.len(), workers, names, work, |lines| {
            for line in lines {
                sheet.row(&line.fields)?;
                if let Some(again) = line.again.as_ref().filter(|_| verbose || !line.expected) {
                    eprintln!("{again}");
                }
            }
            sheet.flush()
        })?;
        Ok(sheet)
    }

    fn write(&self, file: &str, sheet: Sheet) -> Result<(), Error> {
        match (&self.kit.results, &self.asked.text) {
            (Some(results), None) => Ok(sheet.write(&results.join(file))?),
            _ => Ok(()),
        }
    }

    /// Does so many things, so many at a time, and hands over what came of each.
    fn all<R: Send>(
        &mut self,
        count: usize,
        workers: usize,
        name: impl Fn(usize) -> String + Sync,
        work: impl Fn(usize) -> io::Result<(R, Option<String>)> + Sync,
        mut keep: impl FnMut(&R) -> io::Result<()>,
    ) -> Result<(), Error> {
        let named = |at: usize| {
            let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", name(at)));
            work(at).map_err(named)
        };
        self.found += count;
        queue::in_order(count, workers, named, |at, (row, surprise), spent| {
            keep(&row)?;
            if self.asked.verbose {
                eprintln!("{:8.2} s  {}", spent.as_secs_f64(), name(at));
            }
            if let Some(why) = surprise {
                eprintln!("surprise: {}: {why}", name(at));
                self.surprises += 1;
            }
            Ok(())
        })?;
        Ok(())
    }
}

/// Where what is measured comes from; the commit is that of the repository where the results are.
fn native_origin(results: &Path, effort: &Effort) -> [(&'static str, String); 9] {
    let (commit, dirty) = origin::commit(origin::repository(results).as_deref());
    let dirty = dirty.map_or_else(|| origin::UNKNOWN.to_owned(), |dirty| dirty.to_string());
    [
        ("commit", commit),
        ("dirty", dirty),
        ("rustc", origin::rustc()),
        ("debug", cfg!(debug_assertions).to_string()),
        ("kernel", origin::kernel()),
        ("cpu", origin::cpu()),
        ("cores", origin::cores().to_string()),
        ("holds", effort.holds.to_string()),
        ("seed", effort.seed.to_string()),
    ]
}

fn cpus() -> usize {
    thread::available_parallelism().map_or(1, |n| n.get())
}
