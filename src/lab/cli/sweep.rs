//! `ptom sweep`: the fastest way to visit all pmaps before a save.

use super::Error;
use super::output::{Format, Out, complain};
use super::signal::Stop;
use crate::lab::memory;
use crate::lab::report;
use crate::lab::sweep::{self, Charges, Dirty, FILE, Manner, Plan, Row, to_csv};
use crate::lab::table::number::plain;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::path::PathBuf;

/// What `ptom sweep` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The most pmaps with tables of every level; sizes are powers of ten from 10 on.
    #[arg(long, value_name = "N", default_value_t = 100_000,
          value_parser = clap::value_parser!(u64).range(10..=1_000_000))]
    max_pmaps: u64,
    /// The most pmaps beyond those, of which there is the root only.
    #[arg(long, value_name = "N", default_value_t = 1_000_000,
          value_parser = clap::value_parser!(u64).range(10..=1_000_000))]
    max_roots: u64,
    /// Alternate slots that are set: numbers, or percentages of the pmaps.
    #[arg(
        long,
        value_name = "N|N%",
        value_delimiter = ',',
        default_value = "0,8,1%,10%"
    )]
    dirty: Vec<Dirty>,
    /// vCPUs of the guest: how many a shoot-down reaches.
    #[arg(long, value_name = "N", default_value_t = 4,
          value_parser = clap::value_parser!(u16).range(1..=256))]
    vcpus: u16,
    /// Memory that a simulated machine may take; by default, half of what is available.
    #[arg(long, value_name = "MB")]
    max_memory: Option<u64>,
    /// What an act costs: read, hypercall, update, load, flush, shootdown (each other vCPU) or fault.
    #[arg(long = "charge", value_name = "ACT=NS", value_delimiter = ',')]
    charges: Vec<String>,
    /// Where sweep.csv and plots/sweep.svg go.
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<(), Error> {
    let mut charges = Charges::default();
    for charge in &args.charges {
        charges
            .set(charge)
            .map_err(|error| Error::Usage(error.to_string()))?;
    }
    let half = || memory::available().map_or(1 << 30, |bytes| bytes / 2);
    let plan = Plan {
        whole: args.max_pmaps,
        roots: args.max_roots,
        dirty: args.dirty.clone(),
        vcpus: args.vcpus.into(),
        memory: args
            .max_memory
            .map_or_else(half, |mb| mb.saturating_mul(1_000_000)),
        charges,
    };
    let stop = Stop::on_ctrl_c()?;
    complain(&format!(
        "charges: {charges}; a shoot-down, to each other vCPU"
    ));
    let rows = collect(&plan, &stop);
    if stop.is_set() {
        return Err(Error::Interrupted);
    }
    save(args, &rows)?;
    match args.format {
        Format::Json => rows.iter().try_for_each(|row| out.json(row)),
        Format::Table => print(&rows, out),
    }
}

/// All rows, with a bar on a terminal.
fn collect(plan: &Plan, stop: &Stop) -> Vec<Row> {
    let target = if stderr().is_terminal() {
        ProgressDrawTarget::stderr_with_hz(5)
    } else {
        ProgressDrawTarget::hidden()
    };
    let each = (plan.dirty.len() * Manner::all().count()) as u64;
    let sizes = plan.sizes().count() as u64;
    let bar = ProgressBar::with_draw_target(Some(sizes * each), target);
    if let Ok(style) = ProgressStyle::with_template("{msg:24} [{wide_bar}] {pos}/{len}") {
        bar.set_style(style.progress_chars("=> "));
    }
    let mut rows = Vec::new();
    sweep::run(plan, |row| {
        bar.set_message(format!("{} pmaps {}", row.pmaps, row.way));
        // A line for what memory lacks stands for all of its size.
        bar.inc(if row.way.is_empty() { each } else { 1 });
        rows.push(row);
        !stop.is_set()
    });
    bar.finish_and_clear();
    rows
}

fn save(args: &Args, rows: &[Row]) -> Result<(), Error> {
    let text = to_csv(rows).map_err(|error| Error::Failed(error.to_string()))?;
    let plot = report::sweep_plot(rows).map(|svg| ("plots/sweep.svg", svg));
    for (name, text) in [(FILE, text)].into_iter().chain(plot) {
        let path = args.results.join(name);
        report::write(&path, &text).map_err(|error| Error::Failed(error.to_string()))?;
        complain(&format!("wrote {}", path.display()));
    }
    Ok(())
}

fn print(rows: &[Row], out: &mut Out) -> Result<(), Error> {
    let heading = [
        "way",
        "tables",
        "pmaps",
        "set",
        "hypercalls",
        "updates",
        "flushes",
        "faults",
        "us",
        "visit us",
        "wall us",
    ];
    let micros = |ns: Option<f64>| ns.map_or("-".to_owned(), |ns| plain(ns / 1000.0));
    let mut lines = vec![heading.map(str::to_owned).to_vec()];
    let (done, failed): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.err.is_none());
    lines.extend(done.iter().map(|row| {
        let counts = [
            row.pmaps,
            row.dirty,
            row.hypercalls,
            row.updates,
            row.flushes,
            row.faults,
        ];
        let times = [
            micros(Some(row.charged_ns)),
            micros(row.visit_ns),
            micros(row.wall_ns.map(|ns| ns as f64)),
        ];
        let what = [row.way, row.tables].map(str::to_owned);
        what.into_iter()
            .chain(counts.map(|count| count.to_string()))
            .chain(times)
            .collect()
    }));
    out.columns(&lines, 2)?;
    for row in failed {
        let why = row.err.as_deref().unwrap_or_default();
        let Row { pmaps, tables, .. } = row;
        out.line(&format!("{pmaps} pmaps, {tables}: {why}"))?;
    }
    Ok(())
}
