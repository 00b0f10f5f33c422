//! The tests: one a model and one a weakening, so that any engine that runs tests can spread the
//! proof over threads, processes or machines; and one for each thing that is run and not explored.
//!
//! They are made while the program runs, since the models follow from the registry. The weakenings follow
//! from the sites that the models reach; where there are results, from those, and a test of each scheme
//! says whether they are all.

use super::audit::{self, Attack};
use super::case::Case;
use super::child;
use super::exhaustive::site::{Ordered, Weakening};
use super::kit::{Kit, fail};
use super::record::{MODELS, ORDERINGS};
use super::recorded::{Recorded, stale};
use super::sampled::{Check, Effort, alone, share};
use super::subject::Subject;
use super::table::Row;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::collections::BTreeSet;
use std::io;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The name of the test whether all weakenings of a scheme are in the results.
const EVERY_SITE: &str = "every_site";

pub(super) fn main(kit: Kit) -> ExitCode {
    let arguments = Arguments::from_args();
    match trials(kit, &arguments) {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(error) => fail(&error.to_string()),
    }
}

/// What the tests need.
struct Known {
    kit: Kit,
    recorded: Option<Recorded>,
    /// By subject: the weakenings that models briefly explored lead to.
    found: Vec<OnceLock<io::Result<Vec<Weakening>>>>,
}

fn trials(mut kit: Kit, arguments: &Arguments) -> io::Result<Vec<Trial>> {
    let recorded = kit.results.as_deref().map(Recorded::read).transpose()?;
    let checks = std::mem::take(&mut kit.checks);
    let found = kit.subjects.iter().map(|_| OnceLock::new()).collect();
    let known = Arc::new(Known {
        kit,
        recorded,
        found,
    });
    let mut trials = Vec::new();
    // What wants the machine for itself comes first: later it would have to wait for models to end.
    for check in checks {
        let known = known.clone();
        let name = check.name.clone();
        trials.push(Trial::ignorable_test(name, move || known.check(&check)));
    }
    for case in known.kit.cases() {
        let known = known.clone();
        let name = format!("model/{}", case.key());
        trials.push(Trial::test(name, move || known.model(&case)));
    }
    for (at, subject) in known.kit.subjects.iter().enumerate() {
        if subject.claims.holds {
            known.clone().audit(at, subject, arguments, &mut trials)?;
        }
    }
    if known.recorded.is_some() {
        let known = known.clone();
        let name = "the_files_have_a_row_of_each_and_no_others";
        trials.push(Trial::test(name, move || known.files()));
    }
    Ok(trials)
}

impl Known {
    /// The tests of one scheme's weakenings, or the one that is asked for by its name: then there is no
    /// need to wait for all of them to be found.
    fn audit(
        self: Arc<Self>,
        at: usize,
        subject: &Subject,
        arguments: &Arguments,
        trials: &mut Vec<Trial>,
    ) -> io::Result<()> {
        let of_scheme = format!("audit/{}/", subject.name);
        let recorded = self.recorded(subject);
        let exact = arguments.filter.as_ref().filter(|_| arguments.exact);
        let weakenings = match exact.map(|name| name.strip_prefix(&of_scheme)) {
            Some(None) => return Ok(()),
            Some(Some(name)) => name.parse().into_iter().collect(),
            None if recorded.is_empty() => self.found(at)?.clone(),
            None => recorded.iter().filter_map(|row| row.parse().ok()).collect(),
        };
        if !recorded.is_empty() {
            let known = self.clone();
            let name = format!("{of_scheme}{EVERY_SITE}");
            trials.push(Trial::test(name, move || known.every_site(at)));
        }
        for weakening in weakenings {
            let known = self.clone();
            let name = format!("{of_scheme}{weakening}");
            trials.push(Trial::test(name, move || known.ordering(at, &weakening)));
        }
        Ok(())
    }

    /// The weakenings of a scheme that the results have.
    fn recorded(&self, subject: &Subject) -> BTreeSet<String> {
        let prefix = format!("{}/", subject.name);
        let rows = self
            .recorded
            .iter()
            .flat_map(|r| r.orderings_of(subject.name));
        rows.filter_map(|row| Some(row.key().strip_prefix(&prefix)?.to_owned()))
            .collect()
    }

    /// The weakenings of a scheme; takes a second, once.
    fn found(&self, at: usize) -> io::Result<&Vec<Weakening>> {
        let found = self.found[at].get_or_init(|| audit::weakenings(&self.kit.subjects[at]));
        found.as_ref().map_err(|e| io::Error::other(e.to_string()))
    }

    fn every_site(&self, at: usize) -> Result<(), Failed> {
        let _shared = share();
        let recorded = self.recorded(&self.kit.subjects[at]);
        let found: BTreeSet<String> = self.found(at)?.iter().map(|w| w.to_string()).collect();
        match found.symmetric_difference(&recorded).next() {
            Some(one) => Err(format!("{one} is new, or no more; {}", stale(ORDERINGS)).into()),
            None => Ok(()),
        }
    }

    fn check(&self, check: &Check) -> Result<Completion, Failed> {
        let two = std::thread::available_parallelism().is_ok_and(|n| n.get() >= 2);
        if check.needs_two_cpus && !two {
            return Ok(Completion::ignored_with("one CPU shows nothing"));
        }
        let native = check.table.is_native();
        let _turn = (native.then(alone), (!native).then(share));
        for line in (check.run)(&Effort::QUICK)? {
            let row = line.fields.join(",");
            if !line.expected {
                let again = line.again.map_or(String::new(), |words| {
                    format!("\nsee it again, by these words for this program: {words}")
                });
                return Err(format!("{}\n{row}{again}", check.table.header().join(",")).into());
            }
            let recorded = self.recorded.as_ref();
            if recorded.is_some_and(|rows| !rows.has(check.table, &line.fields)) {
                return Err(format!("no row like {row}; {}", stale(check.table.file())).into());
            }
        }
        Ok(Completion::Completed)
    }

    fn model(&self, case: &Case) -> Result<(), Failed> {
        let _shared = share();
        let report = child::run(&["case", &case.key()])?;
        let row = Row::new(case, &report.outcome, Duration::ZERO);
        if !case.expected.is_met_by(&report.outcome) {
            return Err(format!("{row:?}, but {:?} was expected", case.expected).into());
        }
        self.are_audited(case, &report.sites)?;
        let recorded = self.recorded.as_ref();
        if recorded.is_some_and(|rows| !rows.models.iter().any(|known| known.agrees(&row))) {
            return Err(format!("{row:?} is not recorded; {}", stale(MODELS)).into());
        }
        Ok(())
    }

    /// What a model of a sound scheme reaches, and could be weaker, must be in the audit.
    fn are_audited(&self, case: &Case, sites: &BTreeSet<Ordered>) -> Result<(), Failed> {
        let of = |s: &Subject| {
            s.suite
                .iter()
                .chain(&s.worse)
                .any(|c| c.key() == case.key())
        };
        let mut subjects = self.kit.subjects.iter();
        let Some(at) = subjects.position(|s| s.claims.holds && of(s)) else {
            return Ok(());
        };
        let mut audited = self.recorded(&self.kit.subjects[at]);
        if audited.is_empty() {
            audited = self.found(at)?.iter().map(|w| w.to_string()).collect();
        }
        let weaker = sites.iter().flat_map(Ordered::weaker);
        match weaker
            .into_iter()
            .find(|w| !audited.contains(&w.to_string()))
        {
            Some(Weakening { from, to }) => {
                let scheme = self.kit.subjects[at].name;
                Err(format!("site {from} is not audited in {scheme}, as {to}").into())
            }
            None => Ok(()),
        }
    }

    fn ordering(&self, at: usize, weakening: &Weakening) -> Result<(), Failed> {
        let _shared = share();
        let subject = &self.kit.subjects[at];
        let key = format!("{}/{weakening}", subject.name);
        let rows = self.recorded.iter().flat_map(|r| &r.orderings);
        let before = rows.into_iter().find(|row| row.key() == key);
        let row = audit::judge(subject, weakening, Attack::again(before))?;
        if !row.is_settled() {
            return Err(format!(
                "{row:?}: strengthen the models, weaken the code, or explain it there"
            )
            .into());
        }
        if self.recorded.is_some() && !before.is_some_and(|known| known.agrees(&row)) {
            return Err(format!("{row:?} is not recorded; {}", stale(ORDERINGS)).into());
        }
        Ok(())
    }

    fn files(&self) -> Result<(), Failed> {
        let Some(recorded) = &self.recorded else {
            return Ok(());
        };
        let cases: BTreeSet<String> = self.kit.cases().iter().map(Case::key).collect();
        let rows: BTreeSet<String> = recorded.models.iter().map(Row::key).collect();
        if let Some(one) = cases.symmetric_difference(&rows).next() {
            return Err(format!("{one} has no row, or is no model; {}", stale(MODELS)).into());
        }
        let sound = |name: &str| self.kit.subject(name).is_some_and(|s| s.claims.holds);
        match recorded.orderings.iter().find(|row| !sound(&row.scheme)) {
            Some(row) => Err(format!("{} is of no scheme; {}", row.key(), stale(ORDERINGS)).into()),
            None => Ok(()),
        }
    }
}
