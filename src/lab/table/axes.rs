//! Tables that vary one thing: the points of an axis side by side, the base case first.

use super::grid::Grid;
use super::notes::{gives_notes, notes};
use super::number::{count, interval, plain};
use super::workloads::NONE;
use crate::lab::sample::Workload;
use crate::lab::summary::Row;
use std::collections::BTreeSet;

/// One thing that is varied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    /// What, for the title.
    title: &'static str,
    /// Its points, and what their columns are called.
    points: &'static [(Workload, &'static str)],
}

/// How large the table is, and whether reads wait for each other.
pub(crate) const TABLE: Axis = Axis {
    title: "size of the table, independent and chain",
    points: &[
        (Workload::Hold, "16 KiB"),
        (Workload::HoldFar, "8 MiB"),
        (Workload::Dependent, "16 KiB, chain"),
        (Workload::DependentFar, "8 MiB, chain"),
    ],
};

/// How long a hold lasts.
pub(crate) const LENGTH: Axis = Axis {
    title: "length of the hold",
    points: &[
        (Workload::Hold, "one read"),
        (Workload::Hold10, "+ 10 ns"),
        (Workload::Hold100, "+ 100 ns"),
        (Workload::Hold1000, "+ 1,000 ns"),
    ],
};

/// How many holds are there already.
pub(crate) const DEPTH: Axis = Axis {
    title: "depth of nesting",
    points: &[
        (Workload::Hold, "1"),
        (Workload::Nested, "2"),
        (Workload::Nested4, "4"),
    ],
};

/// Whether suspends come meanwhile.
pub(crate) const SUSPENDED: Axis = Axis {
    title: "suspends meanwhile",
    points: &[
        (Workload::Hold, "none"),
        (Workload::HoldSuspended, "every 10 ms"),
    ],
};

/// Every axis whose points other than the base have no table of their own.
const ALL: [Axis; 4] = [TABLE, LENGTH, DEPTH, SUSPENDED];

/// The tables of all axes.
pub(super) fn all(rows: &[Row]) -> impl Iterator<Item = Grid> {
    ALL.iter().flat_map(|axis| grids(rows, axis))
}

/// One table for each number of threads that a side of the axis was measured with.
pub(crate) fn grids(rows: &[Row], axis: &Axis) -> Vec<Grid> {
    let on_axis = |row: &&Row| axis.points.iter().any(|point| point.0 == row.workload);
    let rows: Vec<&Row> = rows.iter().filter(on_axis).collect();
    let sides = rows.iter().filter(|row| row.workload.is_side());
    let threads: BTreeSet<u32> = sides.map(|row| row.threads).collect();
    threads
        .into_iter()
        .map(|threads| grid(&rows, axis, threads))
        .collect()
}

fn grid(rows: &[&Row], axis: &Axis, threads: u32) -> Grid {
    let rows: Vec<&Row> = rows
        .iter()
        .copied()
        .filter(|row| row.threads == threads)
        .collect();
    let title = format!(
        "{}, {}: ratio (95 % interval)",
        axis.title,
        count(threads, "thread")
    );
    let mut grid = Grid::new(title, &["scheme"]);
    let mut schemes: Vec<&Row> = Vec::new();
    for &row in &rows {
        if !schemes.iter().any(|first| first.scheme == row.scheme) {
            schemes.push(row);
        }
    }
    grid.columns
        .extend(axis.points.iter().map(|point| point.1.to_owned()));
    for first in &schemes {
        let cell = |(workload, _): &(Workload, &str)| {
            let here = |row: &&&Row| row.scheme == first.scheme && row.workload == *workload;
            let figures = rows.iter().find(here).and_then(|row| row.figures);
            figures.map_or(NONE.to_owned(), |f| {
                format!("{} ({})", plain(f.ratio.median), interval(&f.ratio))
            })
        };
        let mut cells = vec![first.label()];
        cells.extend(axis.points.iter().map(cell));
        grid.rows.push(cells);
    }
    for (workload, label) in axis.points {
        let here = |row: &&Row| row.workload == *workload && row.workload.is_side();
        let side: Vec<&Row> = rows.iter().copied().filter(here).collect();
        grid.notes.extend(
            notes(&side)
                .into_iter()
                .map(|note| format!("{label}: {note}")),
        );
    }
    let all = schemes.iter().map(|row| row.gives);
    grid.notes.extend(gives_notes(all));
    grid
}
