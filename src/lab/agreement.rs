//! Whether `cargo bench` and a comparison rank alike: a line of `agree.csv` each row, and what follows from all.
//!
//! Criterion measures one contender after the other, `compare` in turns, so times differ; an order by a factor must
//! not. Compared is what either says of a contender in unprotected operations beside it. A benchmark that is not
//! to be trusted, is missing, or was left by another program than the last one is no figure, and its line says so;
//! where many are, nothing was compared. Only one thread is, since the benchmarks have one.

use super::measure::beside::{Kept, Stamp};
use super::sample::Workload;
use super::summary::Row;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The file of the results folder.
pub const FILE: &str = "agree.csv";

/// What makes the file.
pub const CURE: &str = "make it with `cargo bench --features c-peers`, then `ptom agree`";

/// A difference that both methods must see alike.
pub const FACTOR: f64 = 1.5;

/// Which share of the rows must have a benchmark that is to be trusted.
const ENOUGH: f64 = 0.9;

/// A contender's time by either method, in unprotected operations: a line of `agree.csv`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compared {
    /// The comparison's folder.
    pub run: String,
    /// What the benchmark was built from.
    pub commit: String,
    /// The operation.
    pub workload: Workload,
    /// The contender.
    pub scheme: String,
    /// By the comparison.
    pub compared: f64,
    /// By the benchmark, if there is one.
    pub benched: Option<f64>,
    /// Why the benchmark does not count; empty: it does.
    pub doubt: String,
}

impl Compared {
    /// The columns of the file, in its order.
    pub const COLUMNS: [&'static str; 7] = [
        "run", "commit", "workload", "scheme", "compared", "benched", "doubt",
    ];

    /// By the comparison and by the benchmark, if that counts.
    fn both(&self) -> Option<(f64, f64)> {
        let benched = self.benched.filter(|_| self.doubt.is_empty())?;
        Some((self.compared, benched))
    }
}

/// Whether the benchmarks run it: a whole trace takes too long, and nobody suspends beside them.
pub fn is_benched(workload: Workload) -> bool {
    !workload.is_replay() && workload != Workload::HoldSuspended
}

/// Every row of a run that must have a benchmark, with what criterion's folder has of it.
pub fn compare(run: &str, rows: &[Row], criterion: &Path) -> Vec<Compared> {
    let benched = |row: &&Row| is_benched(row.workload) && row.threads == 1;
    let found = rows.iter().filter(benched).filter_map(|row| {
        let folder = criterion.join(row.workload.name()).join(&row.scheme);
        let compared = row.figures?.ratio.median;
        Some((row, compared, Kept::read(&folder.join("new"))))
    });
    let found: Vec<_> = found.collect();
    let kept = found.iter().filter_map(|(_, _, kept)| kept.as_ref().ok());
    let last = kept.max_by_key(|kept| kept.made.built).cloned();
    let made = last.map(|kept| kept.made);
    found
        .into_iter()
        .map(|(row, compared, kept)| {
            let (commit, benched, doubt) = judged(kept, made.as_ref());
            Compared {
                run: run.to_owned(),
                commit,
                workload: row.workload,
                scheme: row.scheme.clone(),
                compared,
                benched,
                doubt,
            }
        })
        .collect()
}

/// The commit, the figure and the doubt of one benchmark, where the last of them were made by `last`.
fn judged(kept: Result<Kept, String>, last: Option<&Stamp>) -> (String, Option<f64>, String) {
    match kept {
        Err(why) => (String::new(), None, why),
        Ok(Kept { ratio, made }) => {
            let other = || String::from("another program left it than the last benchmark's");
            let stale = (Some(&made) != last).then(other);
            let doubt = stale.or_else(|| ratio.doubt()).unwrap_or_default();
            (made.commit, Some(ratio.value()), doubt)
        }
    }
}

/// What is left out, and why, one line each.
pub fn left_out(rows: &[Compared]) -> Vec<String> {
    let out = rows.iter().filter(|row| row.both().is_none());
    out.map(|row| format!("{}/{}: {}", row.workload.name(), row.scheme, row.doubt))
        .collect()
}

/// Why too little is compared to say anything, if so.
pub fn too_few(rows: &[Compared]) -> Option<String> {
    let good = rows.iter().filter(|row| row.both().is_some()).count();
    let enough = good > 0 && good as f64 >= ENOUGH * rows.len() as f64;
    (!enough).then(|| {
        format!(
            "only {good} of {} rows have a benchmark that counts: run `cargo bench` with the features of the comparison, on an idle machine",
            rows.len()
        )
    })
}

/// How many pairs there are to compare.
pub fn pairs(rows: &[Compared]) -> usize {
    pairs_of(rows).count()
}

/// The pairs that one method puts apart by [`FACTOR`], and the other the other way round, one line each.
pub fn disagreements(rows: &[Compared]) -> Vec<String> {
    let differ = |(a, b): (&Compared, &Compared)| {
        let ((a_compared, a_benched), (b_compared, b_benched)) = (a.both()?, b.both()?);
        let (compared, benched) = (a_compared / b_compared, a_benched / b_benched);
        let apart = compared.max(benched) >= FACTOR || compared.min(benched) <= 1.0 / FACTOR;
        (apart && (compared - 1.0) * (benched - 1.0) < 0.0).then(|| {
            let (workload, a, b) = (a.workload.name(), &a.scheme, &b.scheme);
            format!(
                "{workload}: {a} by {b} is {compared:.2} in the comparison, {benched:.2} in the benchmark"
            )
        })
    };
    pairs_of(rows).filter_map(differ).collect()
}

/// Every two rows of one workload that count.
fn pairs_of(rows: &[Compared]) -> impl Iterator<Item = (&Compared, &Compared)> {
    let counts = |row: &&Compared| row.both().is_some();
    rows.iter()
        .filter(counts)
        .enumerate()
        .flat_map(move |(at, a)| {
            let later = rows.iter().filter(counts).skip(at + 1);
            let beside = later.filter(|b| b.workload == a.workload);
            beside.map(move |b| (a, b))
        })
}

#[cfg(test)]
mod tests;
