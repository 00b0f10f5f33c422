//! The tables of suspends: one for each condition with readers that never pause, and one for all
//! rhythms of a reader that does.

use super::grid::Grid;
use super::notes::gives_notes;
use super::number::{count, micros, plain};
use super::workloads::NONE;
use crate::lab::measure::clocked::HEAVY_FENCE;
use crate::lab::summary::{Condition, Latency, SuspendRow, noise};
use std::collections::{BTreeMap, BTreeSet};

/// The columns where there is a CPU for each thread; times in microseconds.
const COLUMNS: [&str; 11] = [
    "scheme", "n", "p50", "p90", "p99", "service", "barrier", "drain", "release", "stall", "worst",
];

/// What the columns after the percentiles are.
const NOTES: [&str; 2] = [
    "service = barrier (heavy fences) + drain; release, stall: medians; worst: the longest stall",
    "-: the scheme cannot tell, or fewer than ten samples lie beyond the percentile",
];

/// What stands below a table with more threads than CPUs.
const CROWDED: &str = "more threads than CPUs: this describes the scheduler, too, and ranks nobody";

/// What stands below a table in which some have fewer suspends than others.
const PARTIAL: &str = "a lesser n: its other suspends were starved by readers, or not done in time (errors.csv says which); its times are those of the others, so too short";

/// What the count in a cell of the others means.
const SURVIVORS: &str = "(n ...): so many suspends were done, the others starved or not done in time (errors.csv says which): the time is that of the survivors, so too short";

/// Every table, by condition.
pub fn grids(rows: &[SuspendRow]) -> Vec<Grid> {
    let hot: BTreeSet<Condition> = rows
        .iter()
        .map(SuspendRow::condition)
        .filter(Condition::is_hot)
        .collect();
    let grids = hot.into_iter().map(|condition| grid(rows, condition));
    let median = paced(rows, "median", |latency| Some(latency.median));
    let most = paced(rows, "90th percentile of the", |latency| latency.p90);
    grids.chain(median).chain(most).collect()
}

fn grid(rows: &[SuspendRow], condition: Condition) -> Grid {
    let here = |row: &&SuspendRow| row.condition() == condition;
    let rows: Vec<&SuspendRow> = rows.iter().filter(here).collect();
    let crowded = rows.iter().any(|row| row.crowded);
    let pauses = if condition.readers == 1 {
        "pauses"
    } else {
        "pause"
    };
    let title = format!(
        "suspend against {} that never {pauses}, dwell {} us: time to exclusivity, us",
        count(condition.readers, "reader"),
        condition.dwell_us
    );
    let shown = |column: &&str| !(crowded && ["p90", "p99", "worst"].contains(column));
    let columns: Vec<&str> = COLUMNS.iter().copied().filter(shown).collect();
    let mut grid = Grid::new(title, &columns);
    for row in &rows {
        let cells = COLUMNS.iter().zip(cells(row));
        let cells = cells.filter(|(column, _)| shown(column));
        grid.rows.push(cells.map(|(_, cell)| cell).collect());
    }
    grid.notes.extend(NOTES.map(str::to_owned));
    grid.notes
        .extend(gives_notes(rows.iter().map(|row| row.gives)));
    if crowded {
        grid.notes.push(CROWDED.to_owned());
    } else {
        grid.notes.extend(against_the_fence(&rows));
    }
    grid.notes
        .extend(not_all(&rows).map(|_| PARTIAL.to_owned()));
    grid.notes.extend(distrusted(&rows));
    grid
}

/// Below tables of which other processes took too much.
fn distrusted(rows: &[&SuspendRow]) -> Option<String> {
    noise::suspended(rows.iter().copied()).map(|why| format!("NOT TO BE TRUSTED: {why}"))
}

/// How many suspends others had done under the same condition, if some scheme had fewer.
fn not_all(rows: &[&SuspendRow]) -> Option<usize> {
    let all = rows.iter().map(|row| row.n).max()?;
    rows.iter().any(|row| row.n < all).then_some(all)
}

fn cells(row: &SuspendRow) -> [String; 11] {
    let optional = |ns: Option<u64>| ns.map_or(NONE.to_owned(), micros);
    [
        row.label(),
        row.n.to_string(),
        micros(row.exclusivity_ns.median),
        optional(row.exclusivity_ns.p90),
        optional(row.exclusivity_ns.p99),
        micros(row.service_ns.median),
        optional(row.barrier_ns.map(|barrier| barrier.median)),
        optional(row.drain_ns.map(|drain| drain.median)),
        micros(row.release_ns.median),
        micros(row.stall_ns.median),
        micros(row.stall_ns.max),
    ]
}

/// How many bare heavy fences the service of those takes that use one.
fn against_the_fence(rows: &[&SuspendRow]) -> Option<String> {
    let bare = rows.iter().find(|row| row.scheme == HEAVY_FENCE)?;
    let fence = bare.service_ns.median.max(1) as f64;
    let fencing = rows.iter().filter(|row| {
        row.scheme != HEAVY_FENCE && row.barrier_ns.is_some_and(|barrier| barrier.median > 0)
    });
    let shares: Vec<String> = fencing
        .map(|row| {
            let times = row.service_ns.median as f64 / fence;
            format!("{} {}", row.scheme, plain(times))
        })
        .collect();
    Some(format!(
        "service by that of {HEAVY_FENCE}, a bare one in the same blocks: {}",
        match shares.is_empty() {
            true => String::from("nobody uses one"),
            false => shares.join(", "),
        }
    ))
}

/// A time of every rhythm side by side.
fn paced(rows: &[SuspendRow], what: &str, time: fn(&Latency) -> Option<u64>) -> Option<Grid> {
    let paced: Vec<&SuspendRow> = rows
        .iter()
        .filter(|row| !row.condition().is_hot())
        .collect();
    let conditions: BTreeSet<Condition> = paced.iter().map(|row| row.condition()).collect();
    let readers = conditions.first()?.readers;
    let title = format!(
        "suspend against {} with holds that last: {what} time to exclusivity, us",
        count(readers, "reader")
    );
    let mut grid = Grid::new(title, &["scheme"]);
    for one in &conditions {
        let hold = micros(one.hold_ns);
        let hold = hold
            .strip_suffix(".00")
            .or(hold.strip_suffix(".0"))
            .unwrap_or(&hold);
        grid.columns
            .push(format!("{hold} us, {} %", one.held_percent));
    }
    let of = |condition: &Condition| -> Vec<&SuspendRow> {
        let here = paced.iter().filter(|row| row.condition() == *condition);
        here.copied().collect()
    };
    let mut lines: Vec<(String, BTreeMap<Condition, String>)> = Vec::new();
    for row in &paced {
        let shown = time(&row.exclusivity_ns).map_or(NONE.to_owned(), micros);
        let cell = match not_all(&of(&row.condition())) {
            Some(all) if row.n < all => format!("{shown} (n {})", row.n),
            _ => shown,
        };
        match lines.iter_mut().find(|(label, _)| *label == row.label()) {
            Some((_, cells)) => drop(cells.insert(row.condition(), cell)),
            None => lines.push((row.label(), BTreeMap::from([(row.condition(), cell)]))),
        }
    }
    for (label, mut found) in lines {
        let mut cells = vec![label];
        cells.extend(
            conditions
                .iter()
                .map(|one| found.remove(one).unwrap_or(NONE.to_owned())),
        );
        grid.rows.push(cells);
    }
    let fewest = paced.iter().map(|row| row.n).min().unwrap_or(0);
    grid.notes.push(format!(
        "columns: length of a hold, share of time in holds; dwell {} us; n at least {fewest}",
        conditions.first()?.dwell_us
    ));
    if conditions.iter().any(|one| not_all(&of(one)).is_some()) {
        grid.notes.push(SURVIVORS.to_owned());
    }
    grid.notes
        .extend(gives_notes(paced.iter().map(|row| row.gives)));
    grid.notes.extend(distrusted(&paced));
    Some(grid)
}

#[cfg(test)]
mod tests;
