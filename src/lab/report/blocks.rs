//! The generated blocks, each from its files.
//!
//! Invariant: a block without data says so in words; it is never empty.

use super::data::{Data, Measured};
use super::models::MODELS;
use super::plot::Plot;
use super::splice::Block;
use super::{answer, claims, models};
use crate::lab::sample::Workload;
use crate::lab::store::{ERRORS, RUN, SAMPLES, SUSPENDS};
use crate::lab::table::{Grid, grids, side_by_side, suspend_grids};

/// What stands where a comparison's figures will be.
const NO_RUN: &str =
    "No results yet: measure with `ptom compare`, then make this report with `ptom report`.\n";
/// What stands where the models' verdicts will be.
const NO_MODELS: &str = "No model results.\n";

/// Every block, in the order of the report.
pub(super) fn all(data: &Data, plots: &[Plot]) -> Vec<Block> {
    let both = [MODELS];
    vec![
        block(data, "answer", &[SAMPLES, SUSPENDS], |run| {
            let lines = answer::lines(data, run);
            (1..)
                .zip(lines)
                .map(|(number, line)| format!("{number}. {line}\n"))
                .collect()
        }),
        block(data, "provenance", &[RUN], |run| provenance(run).markdown()),
        Block {
            name: "claims",
            from: format!("the registry and {}", files(&data.results, &both)),
            text: claims(data),
        },
        block(data, "hold", &[SAMPLES], |run| {
            ratios(data, run, Workload::Hold, plots)
        }),
        block(data, "tradeoff", &[SAMPLES, SUSPENDS], |_| {
            image(data, plots, "tradeoff")
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
        block(data, "suspend", &[SUSPENDS], |run| {
            let tables = markdown(&suspend_grids(&run.suspends));
            format!("{}{tables}", image(data, plots, "suspend"))
        }),
        block(data, "pmap", &[SAMPLES], |run| {
            differences(run, &[Workload::PmapExtract, Workload::PmapEnter])
        }),
        block(data, "replay", &[SAMPLES], |run| {
            differences(run, &[Workload::Replay])
        }),
        Block {
            name: "models",
            from: files(&data.results, &both),
            text: match &data.models {
                Some(cases) => models::grid(cases).markdown(),
                None => NO_MODELS.to_owned(),
            },
        },
        block(data, "errors", &[ERRORS], errors),
    ]
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

fn differences(run: &Measured, workloads: &[Workload]) -> String {
    let rows: Vec<_> = run
        .rows
        .iter()
        .filter(|row| workloads.contains(&row.workload))
        .cloned()
        .collect();
    markdown(&grids(&rows))
}

fn claims(data: &Data) -> String {
    let cases = data.models.as_deref().unwrap_or(&[]);
    let mut text = claims::grid(&data.registered, cases).markdown();
    if data.models.is_none() {
        text.push_str(&format!("\n{NO_MODELS}"));
    }
    text
}

fn provenance(measured: &Measured) -> Grid {
    let p = &measured.run.provenance;
    let mut grid = Grid::new("", &["what", "value"]);
    grid.words = vec![1];
    let seeds: Vec<_> = p.seeds.iter().map(u64::to_string).collect();
    let yes = |yes| String::from(if yes { "yes" } else { "no" });
    let mut add = |what: &str, value: String| grid.rows.push(vec![what.to_owned(), value]);
    add("run", measured.folder.clone());
    add("started", p.started.clone());
    add("command", format!("`{}`", p.command));
    add("version", p.version.clone());
    add("commit", p.commit_shown());
    add("compiler", p.rustc.clone());
    add("kernel", p.kernel.clone());
    add("CPU", p.cpu.clone());
    add("CPUs", p.cores.to_string());
    add("threads pinned", yes(p.pinned));
    add("membarrier(2)", yes(p.membarrier));
    add("seeds", seeds.join(", "));
    for (name, value) in &p.parameters {
        add(name, value.clone());
    }
    if p.debug {
        grid.notes.push(String::from(
            "Built with debug assertions: these figures say nothing about a release build.",
        ));
    }
    grid
}

fn errors(measured: &Measured) -> String {
    let failures = &measured.run.failures;
    if failures.is_empty() {
        return String::from("None: every contender ran every workload.\n");
    }
    let mut grid = Grid::new(
        "",
        &["scheme", "workload", "threads", "why there is no row"],
    );
    grid.words = vec![1, 3];
    for failure in failures {
        grid.rows.push(vec![
            failure.scheme.clone(),
            failure.workload.clone(),
            failure.threads.to_string(),
            failure.err.clone(),
        ]);
    }
    grid.markdown()
}
