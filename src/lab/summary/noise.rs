//! Whether a table is to be trusted: signs that the machine was too busy, or too fickle, to say.
//!
//! The unprotected operation against itself must come out as one; and other processes must have
//! taken nothing worth mentioning from most batches, or suspends. Nor may the hypervisor have given more than that
//! to other guests, all in all. Where threads share CPUs neither can be asked, and
//! the table is a description anyway.

use super::missing::SUSPEND;
use super::{BASELINE, Row, SuspendRow};
use crate::lab::sample::Workload;
use std::collections::BTreeMap;
use std::fmt;

/// How far from one the unprotected operation may be against itself.
const OFF: f64 = 0.03;
/// Lines that lost more than this share of their time to other processes are spoilt.
pub(super) const LOST: f64 = 0.02;
/// Which share of a table's lines may be spoilt.
const SPOILT: f64 = 0.1;

/// What is wrong with the table of these rows, which share workload and threads; `None` if nothing is.
pub fn complaint<'r>(rows: impl IntoIterator<Item = &'r Row>) -> Option<String> {
    let (mut signs, mut lines, mut spoilt) = (Vec::new(), 0.0, 0.0);
    for row in rows {
        let Some(figures) = row.figures.filter(|_| !row.crowded) else {
            continue;
        };
        let rounds = figures.rounds as f64;
        (lines, spoilt) = (lines + rounds, spoilt + rounds * figures.spoilt);
        let ratio = figures.ratio.median;
        if row.scheme == BASELINE && (ratio - 1.0).abs() > OFF {
            signs.push(format!("{BASELINE} against itself is {ratio:.3}"));
        }
    }
    signs.extend(too_many(spoilt, lines, "batches"));
    (!signs.is_empty()).then(|| signs.join(", "))
}

/// What is wrong with a table of these suspends, which share a number of readers; `None` if nothing is.
pub fn suspended<'r>(rows: impl IntoIterator<Item = &'r SuspendRow>) -> Option<String> {
    let (mut lines, mut spoilt) = (0.0, 0.0);
    for row in rows.into_iter().filter(|row| !row.crowded) {
        let n = row.n as f64;
        (lines, spoilt) = (lines + n, spoilt + n * row.spoilt);
    }
    too_many(spoilt, lines, "suspends")
}

fn too_many(spoilt: f64, lines: f64, what: &str) -> Option<String> {
    let share = 100.0 * spoilt / lines;
    (spoilt > lines * SPOILT).then(|| format!("other processes spoilt {share:.0} % of its {what}"))
}

/// What a complaint is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The table of an operation, with so many threads.
    Table(Workload, u32),
    /// The tables of suspends, against so many readers.
    Suspends(u32),
    /// All of the run.
    Run,
}

/// Something that is not to be trusted, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// What it is.
    pub about: About,
    /// What is wrong, on one line.
    pub why: String,
}

impl Complaint {
    /// Whether schemes are ranked by this, so that the whole answer falls with it. The others stand or fall
    /// alone.
    pub fn is_main(&self) -> bool {
        matches!(self.about, About::Table(Workload::Hold, _) | About::Run)
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = &self.why;
        match self.about {
            About::Table(workload, threads) => {
                write!(f, "{}, threads {threads}: {why}", workload.name())
            }
            About::Suspends(readers) => write!(f, "{SUSPEND}, readers {readers}: {why}"),
            About::Run => write!(f, "all tables: {why}"),
        }
    }
}

/// The complaints about a run, of which other guests took such a share of all CPUs' time, if that is known: one
/// about all of it, then one a table.
pub fn complaints(rows: &[Row], suspends: &[SuspendRow], stolen: Option<f64>) -> Vec<Complaint> {
    let mut tables: BTreeMap<(Workload, u32), Vec<&Row>> = BTreeMap::new();
    for row in rows {
        let table = tables.entry((row.workload, row.threads)).or_default();
        table.push(row);
    }
    let mut by_readers: BTreeMap<u32, Vec<&SuspendRow>> = BTreeMap::new();
    for row in suspends {
        by_readers.entry(row.readers).or_default().push(row);
    }
    let run = stolen.filter(|stolen| *stolen > LOST).map(|stolen| {
        let share = 100.0 * stolen;
        let why = format!("other guests had the CPUs {share:.0} % of the time");
        (About::Run, Some(why))
    });
    let tables = tables
        .into_iter()
        .map(|((workload, threads), rows)| (About::Table(workload, threads), complaint(rows)));
    let suspends = by_readers
        .into_iter()
        .map(|(readers, rows)| (About::Suspends(readers), suspended(rows)));
    let all = run.into_iter().chain(tables).chain(suspends);
    all.filter_map(|(about, why)| Some(Complaint { about, why: why? }))
        .collect()
}

/// One line about a run with complaints, which names every table concerned; the whole run falls with a
/// [main table](Complaint::is_main) only.
pub fn verdict(complaints: &[Complaint]) -> Option<String> {
    if complaints.is_empty() {
        return None;
    }
    let tables: Vec<String> = complaints.iter().map(Complaint::to_string).collect();
    let tables = tables.join("; ");
    let main = complaints.iter().any(Complaint::is_main);
    Some(match main {
        true => {
            format!("this run is not to be trusted, since schemes are ranked by hold: {tables}")
        }
        false => format!("these tables are not to be trusted, the others are: {tables}"),
    })
}
