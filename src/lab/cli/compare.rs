//! `ptom compare`: the paired comparison, kept, printed and reported.
//!
//! The run's folder is made, hidden, before anything is measured, and named when all is in it: an
//! interrupted run leaves nothing behind, and a folder that cannot be written is known at once.

use super::output::{Format, Out, complain};
use super::progress::{Collector, Measured};
use super::signal::Stop;
use super::{Error, names, report, seed};
use crate::backend::{Backend, Native};
use crate::lab::measure::busy;
use crate::lab::measure::contender::Selection;
use crate::lab::measure::observe::{Halt, Row};
use crate::lab::measure::on_machine::contenders;
use crate::lab::measure::plan::{EVERY, Plan};
use crate::lab::measure::scripts::Scripts;
use crate::lab::provenance::{Kind, Provenance, Setup};
use crate::lab::sample::Workload;
use crate::lab::store::{ResultsError, Run, Store};
use crate::lab::summary;
use crate::lab::trace::Source;
use crate::platform::{pinning, stolen::Ticks};
use std::path::PathBuf;

/// What `ptom compare` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Less than a minute instead of six to eight; the figures are rough, and the report is left
    /// alone.
    #[arg(long)]
    quick: bool,
    /// Only these schemes and peers, besides `unprotected`; the report is left alone.
    #[arg(long = "scheme", value_name = "NAME", value_delimiter = ',')]
    schemes: Vec<String>,
    /// Only these workloads, of which `suspend` is one, too; the report is left alone.
    #[arg(long = "workload", value_name = "NAME", value_delimiter = ',')]
    workloads: Vec<String>,
    /// With how many threads; the report is left alone.
    #[arg(long, value_name = "N", value_delimiter = ',',
          value_parser = clap::value_parser!(u32).range(1..=256))]
    threads: Vec<u32>,
    /// What the order of batches is drawn from; printed, so that a run can be repeated.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Keep the run in a new folder here; report.md is beside it.
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Args {
    /// Only a whole run is what the report is made of.
    fn kind(&self) -> Kind {
        let whole = self.schemes.is_empty() && self.workloads.is_empty() && self.threads.is_empty();
        if whole && !self.quick {
            Kind::Compare
        } else {
            Kind::Quick
        }
    }
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<(), Error> {
    let plan = plan(args)?;
    let kind = args.kind();
    let mut provenance = Provenance::gather(kind, setup(&plan, &args.schemes));
    let mut store = Store::create(&args.results, &provenance).map_err(failed)?;
    let stop = Stop::on_ctrl_c()?;
    complain(&format!("seed {}", plan.seed));
    let before = Ticks::now();
    let Measured { rows, notes } = measure(&plan, stop)?;
    provenance.notes = notes;
    provenance.stolen = before
        .zip(Ticks::now())
        .map(|(before, after)| after.share_since(before));
    let (mut samples, mut suspends) = (Vec::new(), Vec::new());
    for row in rows {
        match &row {
            Row::Sample(sample) => store.sample(sample),
            Row::Suspend(sample) => store.suspend(sample),
            Row::Failure(failure) => store.failure(failure),
        }
        .map_err(failed)?;
        match row {
            Row::Sample(sample) => samples.push(sample),
            Row::Suspend(sample) => suspends.push(sample),
            Row::Failure(_) => {}
        }
    }
    let run = Run {
        dir: args.results.clone(),
        provenance: provenance.clone(),
        samples,
        suspends,
        failures: Vec::new(),
    };
    let distrust = summary::distrust(&run);
    provenance.distrust = distrust.iter().map(ToString::to_string).collect();
    store.tell(&provenance).map_err(failed)?;
    let dir = store.finish().map_err(failed)?;
    let run = Run::read(&dir).map_err(failed)?;
    let rows = summary::rows(&run).map_err(failed)?;
    out.tables(&rows, &summary::suspends(&run), args.format)?;
    out.flush()?;
    complain(&format!("kept in {}", dir.display()));
    if let Some(verdict) = summary::noise::verdict(&distrust) {
        complain(&verdict);
    }
    if kind == Kind::Compare {
        report::write(&args.results)?;
    }
    Ok(())
}

fn failed(error: ResultsError) -> Error {
    Error::Failed(error.to_string())
}

fn measure(plan: &Plan, stop: Stop) -> Result<Measured, Error> {
    let scripts = Scripts::load().map_err(|e| Error::Failed(e.to_string()))?;
    let source = |workload: Workload, threads: usize, wanted: &Selection| {
        contenders(workload, threads, wanted, &scripts)
    };
    let mut collector = Collector::new(plan.expected(&source), stop);
    plan.run(&source, &mut collector)
        .map_err(|halt| match halt {
            Halt::Stopped => Error::Interrupted,
            Halt::Broken => Error::Failed(halt.to_string()),
        })?;
    Ok(collector.finish())
}

fn setup(plan: &Plan, schemes: &[String]) -> Setup {
    let mut parameters = std::collections::BTreeMap::new();
    let mut tell = |what: &str, value: String| parameters.insert(what.to_owned(), value);
    tell("rounds", plan.rounds.to_string());
    tell("batch", format!("{} us", plan.batch.as_micros()));
    tell("baseline batch", format!("{} us", plan.raw.as_micros()));
    let traces = Source::all_embedded().map(|source| source.name());
    tell("replayed traces", traces.join(", "));
    let steps = [10, 100, 1_000].map(|nanos| busy::steps(nanos).to_string());
    tell("steps of 10/100/1000 ns of work", steps.join("/"));
    tell(
        "rounds, fewer",
        String::from(
            "a third: replay; a sixth: its other traces; half: 8 MiB, length, depth 4; an eighth, of 20 ms: suspended",
        ),
    );
    tell(
        "suspends during hold_suspended",
        format!("one every {} ms", EVERY.as_millis()),
    );
    for suspends in &plan.suspends {
        let samples = suspends
            .conditions
            .iter()
            .map(|one| one.samples.to_string());
        let samples: Vec<String> = samples.collect();
        tell(
            &format!("suspends, readers: {}", suspends.readers),
            format!(
                "{} a row, one every {} us, a block of ten at most {} ms",
                samples.join("/"),
                suspends.period.as_micros(),
                suspends.limit.as_millis()
            ),
        );
    }
    let mut only = schemes.to_vec();
    if !only.is_empty() {
        only.push(crate::lab::measure::contender::BASELINE.to_owned());
    }
    Setup {
        pinned: !pinning::allowed().is_empty(),
        membarrier: Native::asymmetric(),
        seeds: vec![plan.seed],
        parameters,
        only,
    }
}

fn plan(args: &Args) -> Result<Plan, Error> {
    let seed = seed(args.seed);
    let mut plan = if args.quick {
        Plan::quick(seed)
    } else {
        Plan::full(seed)
    };
    plan.schemes = names::contenders(&args.schemes)?;
    let (workloads, suspends) = names::workloads(&args.workloads, &plan.workloads)?;
    plan.workloads = workloads;
    plan.suspends.retain(|_| suspends);
    if !args.threads.is_empty() {
        let mut threads: Vec<usize> = args.threads.iter().map(|&n| n as usize).collect();
        threads.sort_unstable();
        threads.dedup();
        plan.threads = Some(threads);
    }
    Ok(plan)
}
