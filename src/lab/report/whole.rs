//! Where the scheme hardly matters: the answer's line about the replayed trace.

use super::data::{Data, Measured};
use crate::lab::sample::Workload;
use crate::lab::summary::noise::{About, Complaint};
use crate::lab::summary::{Figures, Row, Verdict};
use crate::lab::table::number::{count, plain};

/// How many schemes cannot be told from none, and what the dearest costs; `None` without rows. Where
/// the table is among those of `distrust`, it says so.
pub(super) fn line(data: &Data, measured: &Measured, distrust: &[Complaint]) -> Option<String> {
    let replayed = || {
        let rows = measured.rows.iter();
        rows.filter(|row| row.workload == Workload::Replay)
    };
    let alone = replayed().filter(|row| !row.crowded);
    let threads = alone.map(|row| row.threads).max()?;
    let holds = |row: &&Row| {
        let mut registered = data.registered.iter();
        registered.any(|scheme| scheme.name == row.scheme && scheme.claims.holds)
    };
    let holders: Vec<(&Row, Figures)> = replayed()
        .filter(|row| row.threads == threads)
        .filter(holds)
        .filter_map(|row| Some((row, row.figures?)))
        .collect();
    let free: Vec<String> = holders
        .iter()
        .filter(|(_, figures)| figures.verdict == Verdict::Indistinguishable)
        .map(|(row, _)| format!("`{}`", row.scheme))
        .collect();
    let worst = holders
        .iter()
        .max_by(|(_, a), (_, b)| a.diff.median.total_cmp(&b.diff.median))?;
    let which = match free.is_empty() {
        true => String::new(),
        false => format!(" ({})", free.join(", ")),
    };
    let noisy = |one: &Complaint| one.about == About::Table(Workload::Replay, threads);
    let warning = match distrust.iter().any(noisy) {
        true => " (a table not to be trusted)",
        false => "",
    };
    Some(format!(
        "In the replayed trace with {}{warning}, {} of {} schemes cannot be told from no protection{which}; the dearest, `{}`, adds {} ns to an event of {} ns.",
        count(threads, "thread"),
        free.len(),
        holders.len(),
        worst.0.scheme,
        plain(worst.1.diff.median),
        plain(worst.1.ns)
    ))
}
