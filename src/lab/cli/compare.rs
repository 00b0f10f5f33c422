//! `ptom compare`: a run of the paired comparison.
//!
//! All rows are kept in memory until the run is over, so an interrupted one leaves nothing behind;
//! whether the results folder can be written is found out before.

use super::output::{Format, Out, complain};
use super::progress::Collector;
use super::signal::Stop;
use super::{Error, names, ratios, seed};
use crate::lab::measure::contender::Selection;
use crate::lab::measure::observe::{Halt, Row};
use crate::lab::measure::on_machine::contenders;
use crate::lab::measure::plan::Plan;
use crate::lab::sample::Workload;
use crate::lab::trace::{Source, load};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What `ptom compare` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A few seconds instead of about two minutes; the figures are rough.
    #[arg(long)]
    quick: bool,
    /// Only these schemes, besides `unprotected`.
    #[arg(long = "scheme", value_name = "NAME", value_delimiter = ',')]
    schemes: Vec<String>,
    /// Only these workloads; `suspend` is one, too.
    #[arg(long = "workload", value_name = "NAME", value_delimiter = ',')]
    workloads: Vec<String>,
    /// With how many threads.
    #[arg(long, value_name = "N", value_delimiter = ',',
          value_parser = clap::value_parser!(u32).range(1..=1_024))]
    threads: Vec<u32>,
    /// What the order of batches is drawn from; printed, so that a run can be repeated.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Keep the rows in a new folder here.
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<(), Error> {
    let plan = plan(args)?;
    if let Some(results) = &args.results {
        check_writable(results)?;
    }
    let stop = Stop::on_ctrl_c()?;
    complain(&format!("seed {}", plan.seed));
    let script = load(&Source::embedded()).map_err(|e| Error::Failed(e.to_string()))?;
    let script = Arc::new(script);
    let source = |workload: Workload, threads: usize, wanted: &Selection| {
        contenders(workload, threads, wanted, &script)
    };
    let mut collector = Collector::new(plan.expected(&source), stop);
    plan.run(&source, &mut collector)
        .map_err(|halt| match halt {
            Halt::Stopped => Error::Interrupted,
            Halt::Broken => Error::Failed(halt.to_string()),
        })?;
    let rows = collector.finish();
    if let Some(results) = &args.results {
        keep(&rows, results)?;
    }
    ratios::print(&rows, args.format, out)
}

fn plan(args: &Args) -> Result<Plan, Error> {
    let seed = seed(args.seed);
    let mut plan = if args.quick {
        Plan::quick(seed)
    } else {
        Plan::full(seed)
    };
    plan.schemes = names::selection(&args.schemes)?;
    let (workloads, suspends) = names::workloads(&args.workloads, &plan.workloads)?;
    plan.workloads = workloads;
    plan.suspends = plan.suspends.filter(|_| suspends);
    if !args.threads.is_empty() {
        plan.threads = args.threads.iter().map(|&n| n as usize).collect();
        plan.threads.sort_unstable();
        plan.threads.dedup();
    }
    Ok(plan)
}

/// Fails now rather than after a minute.
fn check_writable(results: &Path) -> Result<(), Error> {
    let probe = results.join(".ptom-can-write");
    std::fs::create_dir_all(results)
        .and_then(|()| std::fs::write(&probe, ""))
        .and_then(|()| std::fs::remove_file(&probe))
        .map_err(|e| Error::Failed(format!("cannot write to {}: {e}", results.display())))
}

/// Writes the run.
fn keep(_rows: &[Row], results: &Path) -> Result<(), Error> {
    let dir = results.display();
    Err(Error::Failed(format!(
        "cannot keep the rows in {dir}: not wired yet"
    )))
}
