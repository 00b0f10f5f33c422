//! The tables of operations: ratios where schemes may be ranked by them, differences elsewhere.

use super::axes;
use super::grid::Grid;
use super::notes::{notes, uncounted};
use super::number::{count, interval, percent, plain, range, signed, signed_interval};
use crate::lab::sample::Workload;
use crate::lab::summary::{Figures, Row};
use std::collections::BTreeSet;

/// What stands in a cell without a figure.
pub(crate) const NONE: &str = "-";

/// What one operation is, for the title of its table.
const fn what(workload: Workload) -> &'static str {
    match workload {
        Workload::Hold => {
            "hold, translate one PFN, let go; PFNs independent, table in the L1 cache"
        }
        Workload::Nested => "the same within a hold that is already there",
        Workload::Dependent => "hold, translate, let go; each PFN taken from the last translation",
        Workload::Snapshot => "a snapshot of one translation",
        Workload::PmapExtract => "pmap_extract of a mapped page",
        Workload::PmapEnter => "pmap_enter over a mapped page",
        Workload::Replay => "one event of the replayed trace shell",
        Workload::ReplayGccMake => "one event of the replayed trace gcc-make",
        Workload::ReplayCargoBuild => "one event of the replayed trace cargo-build",
        Workload::HoldFar => "hold, table of 8 MiB",
        Workload::DependentFar => "dependent, table of 8 MiB",
        Workload::Hold10 => "hold, and 10 ns of work in it",
        Workload::Hold100 => "hold, and 100 ns of work in it",
        Workload::Hold1000 => "hold, and 1,000 ns of work in it",
        Workload::Nested4 => "hold within three holds",
        Workload::HoldSuspended => "hold, while suspends come every 10 ms",
    }
}

/// Whether a table of this workload shows ratios.
const fn by_ratio(workload: Workload) -> bool {
    workload.ranks() || matches!(workload, Workload::Dependent | Workload::Snapshot)
}

/// One table for each main workload and number of threads that `rows` has, then one for each thing that
/// is varied.
pub fn grids(rows: &[Row]) -> Vec<Grid> {
    let cells: BTreeSet<_> = rows
        .iter()
        .filter(|row| !row.workload.is_side())
        .map(|row| (row.workload, row.threads))
        .collect();
    cells
        .into_iter()
        .map(|(workload, threads)| grid(rows, workload, threads))
        .chain(axes::all(rows))
        .collect()
}

/// The table of one workload with so many threads.
fn grid(rows: &[Row], workload: Workload, threads: u32) -> Grid {
    let rows = ordered(rows, workload, threads);
    let title = format!(
        "{}, {}: {}",
        workload.name(),
        count(threads, "thread"),
        what(workload)
    );
    let mut grid = match (workload.ranks(), by_ratio(workload)) {
        (true, _) => Grid::new(
            title,
            &[
                "scheme",
                "ratio",
                "95 % interval",
                "all rounds",
                "ns/op",
                "holds/op",
                "rounds",
            ],
        ),
        (_, true) => Grid::new(
            title,
            &[
                "scheme",
                "ratio",
                "95 % interval",
                "ns/op",
                "holds/op",
                "rounds",
                "to unprotected",
            ],
        ),
        _ => Grid::new(
            title,
            &[
                "scheme",
                "ns/op",
                "more, ns",
                "95 % interval, ns",
                "share, %",
                "holds/op",
                "to unprotected",
            ],
        ),
    };
    if !workload.ranks() {
        grid.words = vec![6];
    }
    for row in rows.iter().filter(|row| !row.is_idle_peer()) {
        let mut cells = vec![row.label()];
        match &row.figures {
            Some(figures) => cells.extend(figures_cells(workload, figures)),
            None => cells.extend(vec![NONE.to_owned(); 6]),
        }
        grid.rows.push(cells);
    }
    grid.notes = notes(&rows);
    grid.notes.extend(uncounted(&rows));
    grid
}

fn figures_cells(workload: Workload, f: &Figures) -> [String; 6] {
    let holds = f.holds_per_op.map_or(NONE.to_owned(), plain);
    let rounds = f.rounds.to_string();
    let ratio = plain(f.ratio.median);
    match (workload.ranks(), by_ratio(workload)) {
        (true, _) => [
            ratio,
            interval(&f.ratio),
            range(f.ratio.min, f.ratio.max),
            plain(f.ns),
            holds,
            rounds,
        ],
        (_, true) => [
            ratio,
            interval(&f.ratio),
            plain(f.ns),
            holds,
            rounds,
            f.verdict.to_string(),
        ],
        _ => [
            plain(f.ns),
            signed(f.diff.median),
            signed_interval(&f.diff),
            percent(f.share),
            holds,
            f.verdict.to_string(),
        ],
    }
}

/// The rows of a table: cheapest first where schemes may be ranked, else registry order.
fn ordered(rows: &[Row], workload: Workload, threads: u32) -> Vec<&Row> {
    let mut rows: Vec<&Row> = rows
        .iter()
        .filter(|row| row.workload == workload && row.threads == threads)
        .collect();
    // Where threads share CPUs nobody is ranked.
    if workload.ranks() && !rows.iter().any(|row| row.crowded) {
        let ratio = |row: &Row| row.figures.map_or(f64::INFINITY, |f| f.ratio.median);
        rows.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    }
    rows
}

/// One table of a workload that shows ratios, the numbers of threads side by side.
pub fn side_by_side(rows: &[Row], workload: Workload) -> Option<Grid> {
    let threads: BTreeSet<u32> = rows
        .iter()
        .filter(|row| row.workload == workload)
        .map(|row| row.threads)
        .collect();
    let mut grid = Grid::new(what(workload), &["scheme"]);
    for threads in &threads {
        let named = count(*threads, "thread");
        for column in ["ratio", "95 % interval", "all rounds", "ns/op"] {
            grid.columns.push(format!("{column}, {named}"));
        }
    }
    let mut shown = Vec::new();
    for first in ordered(rows, workload, *threads.first()?) {
        let mut cells = vec![first.label()];
        let mut idle = first.is_idle_peer();
        for threads in &threads {
            let here = |row: &&Row| {
                row.workload == workload && row.threads == *threads && row.scheme == first.scheme
            };
            let row = rows.iter().find(here);
            shown.extend(row);
            idle &= row.is_none_or(Row::is_idle_peer);
            cells.extend(match row.and_then(|row| row.figures) {
                Some(f) => [
                    plain(f.ratio.median),
                    interval(&f.ratio),
                    range(f.ratio.min, f.ratio.max),
                    plain(f.ns),
                ],
                None => [(); 4].map(|()| NONE.to_owned()),
            });
        }
        if !idle {
            grid.rows.push(cells);
        }
    }
    grid.notes = notes(&shown);
    Some(grid)
}
