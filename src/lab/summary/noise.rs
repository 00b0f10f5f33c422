//! Whether a table is to be trusted: two signs that the machine was too busy, or too fickle, to say.
//!
//! The unprotected operation against itself must come out as one; and other processes must have
//! taken nothing worth mentioning from most batches. Where threads share CPUs neither can be asked, and
//! the table is a description anyway.

use super::{BASELINE, Row};
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
    if spoilt > lines * SPOILT {
        let share = 100.0 * spoilt / lines;
        signs.push(format!(
            "other processes spoilt {share:.0} % of its batches"
        ));
    }
    (!signs.is_empty()).then(|| signs.join(", "))
}

/// A table that is not to be trusted, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Its operation.
    pub workload: Workload,
    /// Its threads.
    pub threads: u32,
    /// What is wrong, on one line.
    pub why: String,
}

impl Complaint {
    /// Whether schemes are ranked by this table, so that the whole answer falls with it. The others stand
    /// or fall alone.
    pub fn is_main(&self) -> bool {
        self.workload == Workload::Hold
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, threads, why) = (self.workload.name(), self.threads, &self.why);
        write!(f, "{name}, threads {threads}: {why}")
    }
}

/// The complaints about a run, one a table.
pub fn complaints(rows: &[Row]) -> Vec<Complaint> {
    let mut tables: BTreeMap<(Workload, u32), Vec<&Row>> = BTreeMap::new();
    for row in rows {
        let table = tables.entry((row.workload, row.threads)).or_default();
        table.push(row);
    }
    let of = |((workload, threads), rows): ((Workload, u32), Vec<&Row>)| {
        let why = complaint(rows)?;
        Some(Complaint {
            workload,
            threads,
            why,
        })
    };
    tables.into_iter().filter_map(of).collect()
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
