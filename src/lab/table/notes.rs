//! What must be known to read a table: its noise, who failed and why, what the words mean.

use super::number::{count, interval, range};
use crate::lab::peers::Gives;
use crate::lab::summary::median::FEWEST;
use crate::lab::summary::{BASELINE, Row, noise};
use std::collections::BTreeSet;

/// Why some rows have no holds an operation, if that is so.
pub(super) fn uncounted(rows: &[&Row]) -> Option<String> {
    let uncounted = |row: &&&Row| row.figures.is_some_and(|f| f.holds_per_op.is_none());
    rows.iter().find(uncounted)?;
    Some(String::from(
        "holds/op is counted by a wrapper round a scheme: a peer is no scheme, and a snapshot no hold, so neither has a count",
    ))
}

/// What the words beside the names mean, one line each.
pub(super) fn gives_notes(gives: impl Iterator<Item = Option<Gives>>) -> Vec<String> {
    let notes: BTreeSet<_> = gives.flatten().filter_map(Gives::note).collect();
    notes.into_iter().map(str::to_owned).collect()
}

/// The noise, what failed and why, and whether there were enough rounds.
pub(super) fn notes(rows: &[&Row]) -> Vec<String> {
    let mut notes = Vec::new();
    let tables: BTreeSet<_> = rows.iter().map(|row| (row.workload, row.threads)).collect();
    for (workload, threads) in tables {
        let of = |row: &&&Row| (row.workload, row.threads) == (workload, threads);
        if let Some(why) = noise::complaint(rows.iter().copied().filter(|row| of(&row))) {
            let threads = count(threads, "thread");
            notes.push(format!("NOT TO BE TRUSTED ({threads}): {why}"));
        }
    }
    let crowded: BTreeSet<u32> = rows
        .iter()
        .filter(|r| r.crowded)
        .map(|r| r.threads)
        .collect();
    for threads in crowded {
        let threads = count(threads, "thread");
        notes.push(format!(
            "{threads}: too few CPUs; describes the scheduler, too, and ranks nobody"
        ));
    }
    for row in rows {
        if let (BASELINE, Some(f)) = (row.scheme.as_str(), &row.figures) {
            notes.push(format!(
                "{BASELINE} against itself ({}): {} (all rounds: {})",
                count(row.threads, "thread"),
                interval(&f.ratio),
                range(f.ratio.min, f.ratio.max)
            ));
        }
    }
    let shown = rows.iter().filter(|row| !row.is_idle_peer());
    notes.extend(gives_notes(shown.map(|row| row.gives)));
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for row in rows {
        let Some(err) = row.err.as_deref() else {
            continue;
        };
        match reasons.iter_mut().find(|(reason, _)| *reason == err) {
            Some((_, schemes)) if schemes.contains(&row.scheme.as_str()) => {}
            Some((_, schemes)) => schemes.push(&row.scheme),
            None => reasons.push((err, vec![&row.scheme])),
        }
    }
    for (reason, schemes) in reasons {
        notes.push(format!("no figures for {}: {reason}", schemes.join(", ")));
    }
    let fewest = rows
        .iter()
        .filter_map(|row| row.figures)
        .map(|f| f.rounds)
        .min();
    if fewest.is_some_and(|rounds| rounds < FEWEST) {
        notes.push(format!(
            "fewer than {FEWEST} rounds: the interval is the least and the greatest value, and covers less than 95 %"
        ));
    }
    notes
}
