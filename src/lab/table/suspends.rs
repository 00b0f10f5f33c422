//! The tables of suspends: one for each dwell and number of readers.

use super::grid::Grid;
use super::number::{count, micros};
use super::workloads::{NONE, gives_notes};
use crate::lab::summary::SuspendRow;
use std::collections::BTreeSet;

/// What the columns are; times in microseconds.
pub(crate) const COLUMNS: [&str; 10] = [
    "scheme", "n", "p50", "p90", "p99", "max", "service", "release", "stall", "worst",
];

/// What the columns after `max` are.
const NOTE: &str = "service, release, stall: medians; worst: longest stall; percentiles only with ten samples beyond";

/// One table for each dwell and number of readers.
pub fn grids(rows: &[SuspendRow]) -> Vec<Grid> {
    let kinds: BTreeSet<_> = rows.iter().map(|row| (row.dwell_us, row.readers)).collect();
    kinds
        .into_iter()
        .map(|(dwell_us, readers)| {
            let title = format!(
                "suspend against {}, dwell {dwell_us} us: time to exclusivity, us",
                count(readers, "reader")
            );
            let mut grid = Grid::new(title, &COLUMNS);
            grid.notes.push(NOTE.to_owned());
            let here = |row: &&SuspendRow| (row.dwell_us, row.readers) == (dwell_us, readers);
            let here = rows.iter().filter(here);
            grid.notes
                .extend(gives_notes(here.clone().map(|row| row.gives)));
            grid.rows.extend(here.map(cells));
            grid
        })
        .collect()
}

fn cells(row: &SuspendRow) -> Vec<String> {
    let optional = |ns: Option<u64>| ns.map_or(NONE.to_owned(), micros);
    let exclusivity = &row.exclusivity_ns;
    vec![
        row.label(),
        row.n.to_string(),
        micros(exclusivity.median),
        optional(exclusivity.p90),
        optional(exclusivity.p99),
        micros(exclusivity.max),
        micros(row.service_ns.median),
        micros(row.release_ns.median),
        micros(row.stall_ns.median),
        micros(row.stall_ns.max),
    ]
}
