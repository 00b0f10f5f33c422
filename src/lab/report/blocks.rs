//! The generated blocks, each from its files.
//!
//! Invariant: a block without data says so in words; it is never empty.

use super::data::{Data, Measured};
use super::plot::Plot;
use super::splice::Block;
use super::verdicts::{
    Row, footprint, instructions, models, orderings, progress, registration, schedules, snapshots,
    stress,
};
use super::{about, aims, answer, claims};
use crate::lab::agreement;
use crate::lab::lost;
use crate::lab::sample::Workload;
use crate::lab::store::{ERRORS, RUN, SAMPLES, SUSPENDS};
use crate::lab::table::{Grid, axes, grids, side_by_side, suspend_grids};

/// What stands where a comparison's figures will be.
const NO_RUN: &str =
    "No results yet: measure with `ptom compare`, then make this report with `ptom report`.\n";

/// Whose verdicts decide about claims.
const OF_CLAIMS: [&str; 5] = [
    models::Case::FILE,
    progress::Progress::FILE,
    snapshots::Snapshot::FILE,
    schedules::Schedules::FILE,
    stress::Stress::FILE,
];

/// Every block, in the order of the report.
pub(super) fn all(data: &Data, plots: &[Plot]) -> Vec<Block> {
    let verdicts = &data.verdicts;
    vec![
        block(data, "answer", &[SAMPLES, SUSPENDS], |run| {
            let lines = answer::lines(data, run);
            (1..)
                .zip(lines)
                .map(|(number, line)| format!("{number}. {line}\n"))
                .collect()
        }),
        Block {
            name: "peers",
            from: String::from("the list of peers"),
            text: about::peers().markdown(),
        },
        block(data, "provenance", &[RUN], |run| {
            about::provenance(run).markdown()
        }),
        Block {
            name: "claims",
            from: format!("the registry and {}", files(&data.results, &OF_CLAIMS)),
            text: claims::grid(&data.registered, verdicts).markdown(),
        },
        Block {
            name: "checks",
            from: String::from("the report's own list of what decides about each claim"),
            text: claims::table::grid().markdown(),
        },
        found(data, "bounds", &verdicts.models, |cases| {
            models::matrix(&data.registered, cases)
        }),
        block(data, "hold", &[SAMPLES], |run| {
            ratios(data, run, Workload::Hold, plots)
        }),
        found(data, "instructions", &verdicts.instructions, |rows| {
            instructions::grid(rows)
        }),
        block(data, "tradeoff", &[SAMPLES, SUSPENDS], |_| {
            image(data, plots, "tradeoff")
        }),
        found(data, "footprint", &verdicts.footprint, |rows| {
            footprint::grid(rows)
        }),
        found(data, "registration", &verdicts.registration, |rows| {
            registration::grid(rows)
        }),
        block(data, "nested", &[SAMPLES], |run| {
            ratios(data, run, Workload::Nested, plots)
        }),
        block(data, "dependent", &[SAMPLES], |run| {
            ratios(data, run, Workload::Dependent, plots)
        }),
        block(data, "snapshot", &[SAMPLES], |run| {
            ratios(data, run, Workload::Snapshot, plots)
        }),
        block(data, "depth", &[SAMPLES], |run| varied(run, &axes::DEPTH)),
        block(data, "table", &[SAMPLES], |run| varied(run, &axes::TABLE)),
        block(data, "length", &[SAMPLES], |run| varied(run, &axes::LENGTH)),
        block(data, "suspended", &[SAMPLES], |run| {
            varied(run, &axes::SUSPENDED)
        }),
        block(data, "suspend", &[SUSPENDS], |run| {
            let tables = markdown(&suspend_grids(&run.suspends));
            format!("{}{tables}", image(data, plots, "suspend"))
        }),
        block(data, "pmap", &[SAMPLES], |run| {
            differences(run, &[Workload::PmapExtract, Workload::PmapEnter])
        }),
        block(data, "replay", &[SAMPLES], |run| {
            let traces = Workload::ALL.into_iter().filter(|one| one.is_replay());
            differences(run, &traces.collect::<Vec<_>>())
        }),
        Block {
            name: "lost",
            from: String::from("a simulated guest, saved and restored"),
            text: lost::grid().markdown(),
        },
        found(data, "models", &verdicts.models, models::grid),
        found(data, "audit", &verdicts.orderings, orderings::grid),
        found(data, "schedules", &verdicts.schedules, schedules::grid),
        found(data, "progress", &verdicts.progress, progress::grid),
        found(data, "stress", &verdicts.stress, stress::grid),
        of_aims(data),
        block(data, "errors", &[ERRORS], about::errors),
    ]
}

/// What was aimed at: from the run, and what else tells whether it was measured well.
fn of_aims(data: &Data) -> Block {
    let mut aims = block(data, "aims", &[SAMPLES, SUSPENDS], |run| {
        aims::grid(run, data.agreement.as_deref()).markdown()
    });
    if data.agreement.is_some() {
        let more = files(&data.results, &[agreement::FILE]);
        aims.from = format!("{}, {more}", aims.from);
    }
    aims
}

/// A block from files of the run.
fn block(
    data: &Data,
    name: &'static str,
    from: &[&str],
    text: impl FnOnce(&Measured) -> String,
) -> Block {
    let (from, text) = match &data.measured {
        Some(measured) => (files(&measured.folder, from), text(measured)),
        None => (format!("{}/", data.results), NO_RUN.to_owned()),
    };
    let text = match text.is_empty() {
        true => String::from("No rows of this in the run.\n"),
        false => text,
    };
    Block { name, from, text }
}

/// A block from a file of verdicts.
fn found<R: Row>(
    data: &Data,
    name: &'static str,
    rows: &Option<Vec<R>>,
    grid: impl FnOnce(&[R]) -> Grid,
) -> Block {
    Block {
        name,
        from: files(&data.results, &[R::FILE]),
        text: match rows {
            Some(rows) => grid(rows).markdown(),
            None => format!("There is no {}.\n", R::FILE),
        },
    }
}

fn files(folder: &str, names: &[&str]) -> String {
    let paths: Vec<_> = names
        .iter()
        .map(|name| format!("{folder}/{name}"))
        .collect();
    paths.join(", ")
}

fn markdown(grids: &[Grid]) -> String {
    grids
        .iter()
        .map(Grid::markdown)
        .collect::<Vec<_>>()
        .join("\n")
}

/// The link to a plot, if there is one.
fn image(data: &Data, plots: &[Plot], name: &str) -> String {
    let Some(plot) = plots.iter().find(|plot| plot.name == name) else {
        return String::new();
    };
    format!(
        "![{}]({}/{})\n\n",
        plot.describes,
        data.results,
        plot.path()
    )
}

fn ratios(data: &Data, run: &Measured, workload: Workload, plots: &[Plot]) -> String {
    let Some(grid) = side_by_side(&run.rows, workload) else {
        return String::new();
    };
    format!("{}{}", image(data, plots, workload.name()), grid.markdown())
}

fn varied(run: &Measured, axis: &axes::Axis) -> String {
    markdown(&axes::grids(&run.rows, axis))
}

fn differences(run: &Measured, workloads: &[Workload]) -> String {
    let rows: Vec<_> = run
        .rows
        .iter()
        .filter(|row| workloads.contains(&row.workload))
        .cloned()
        .collect();
    markdown(&grids(&rows))
}
