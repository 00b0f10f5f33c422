//! `ptom replay`: a recorded trace, on the simulated machine, under every scheme in turn.

use super::output::{Format, Out, complain};
use super::signal::Stop;
use super::{Error, migrate, names, seed};
use crate::backend::Native;
use crate::lab::measure::contender::Selection;
use crate::lab::memory::{self, megabytes};
use crate::lab::replay::{Plan, ReplayError, Replayed, memory_for, run as replay};
use crate::lab::trace::{Script, Source, Stats, load};
use crate::native::each_native;
use crate::scheme::{Scheme, Visit};
use indicatif::{ProgressBar, ProgressDrawTarget};
use std::ffi::OsString;
use std::io::{IsTerminal, stderr};
use std::time::Duration;

/// What `ptom replay` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What `perf script` printed, plain or packed with gzip or xz; `-` for standard input; without
    /// it, a small trace that is part of the program.
    trace: Option<OsString>,
    /// Which schemes; all of them by default.
    #[arg(long = "scheme", value_name = "NAME", value_delimiter = ',')]
    schemes: Vec<String>,
    /// vCPUs: each replays a clone of the trace; the suspender has one more.
    #[arg(long, visible_alias = "threads", value_name = "N", default_value_t = 2,
          value_parser = clap::value_parser!(u32).range(1..=256))]
    vcpus: u32,
    /// How often each clone is run through.
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u64).range(1..))]
    passes: u64,
    /// Injections: a vCPU stops between translating and using until a suspend has come and gone,
    /// unless the scheme keeps it away. 0 for none; then the run is timed.
    #[arg(long, value_name = "N", default_value_t = 100)]
    inject: u64,
    /// Where injections fall and frames go; printed, so that a run can be repeated.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Suspend the domain once in so many milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 20,
          value_parser = clap::value_parser!(u64).range(1..))]
    suspend_every: u64,
    /// Operations of a vCPU from one quiescent point to the next, for schemes that need such; a suspend waits for
    /// one of each vCPU. With more than a trace has it is as if they had been forgotten.
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u64).range(1..))]
    quiescent_every: u64,
    /// Migrate the guest between two hosts while it runs, in place of suspending it, and compare it at
    /// the end with one that nobody disturbed; 64 vCPUs at most.
    #[arg(long)]
    migrate: bool,
    /// Memory that the simulated machines may take; by default, what is available.
    #[arg(long, value_name = "MB")]
    max_memory: Option<u64>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What is replayed under every scheme.
pub(super) struct Job<'a> {
    pub(super) script: &'a Script,
    pub(super) plan: Plan,
    pub(super) stop: &'a Stop,
    pub(super) bar: ProgressBar,
    selection: Selection,
}

impl Job<'_> {
    /// Whether it is a scheme's turn; says so if it is.
    pub(super) fn wants(&self, scheme: &'static str) -> bool {
        let wanted = self.selection.wants(scheme) && !self.stop.is_set();
        if wanted {
            self.bar.set_message(scheme);
            self.bar.tick();
        }
        wanted
    }
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<(), Error> {
    let selection = names::selection(&args.schemes)?;
    if args.migrate {
        migrate::check(args.vcpus)?;
    }
    let source = match &args.trace {
        Some(trace) => Source::from_argument(trace),
        None => Source::embedded(),
    };
    let script = load(&source).map_err(|e| Error::Failed(e.to_string()))?;
    fits(args, &script)?;
    let seed = seed(args.seed);
    let plan = Plan {
        vcpus: args.vcpus as usize,
        passes: args.passes,
        every: Duration::from_millis(args.suspend_every),
        quiescent_every: args.quiescent_every,
        inject: args.inject,
        seed,
    };
    let stop = Stop::on_ctrl_c()?;
    complain(&format!(
        "seed {seed}; {}: {}",
        source.name(),
        told(&script.stats)
    ));
    let target = if stderr().is_terminal() {
        ProgressDrawTarget::stderr_with_hz(5)
    } else {
        ProgressDrawTarget::hidden()
    };
    let job = Job {
        script: &script,
        plan,
        selection,
        stop: &stop,
        bar: ProgressBar::with_draw_target(None, target),
    };
    if args.migrate {
        return migrate::run(&job, args.format, out);
    }
    let mut all = All {
        job: &job,
        rows: Vec::new(),
        error: None,
    };
    each_native(&mut all);
    job.bar.finish_and_clear();
    if stop.is_set() {
        return Err(Error::Interrupted);
    }
    if let Some(error) = all.error {
        return Err(Error::Failed(error.to_string()));
    }
    print(&all.rows, args.format, out)
}

/// Refuses what memory would not suffice for: the system would end it half-way, and not say why.
fn fits(args: &Args, script: &Script) -> Result<(), Error> {
    let asked = args.max_memory.map(|mb| mb.saturating_mul(1_000_000));
    let needs = memory_for(script, args.vcpus as usize, args.migrate);
    match asked.or_else(memory::available) {
        Some(may) if needs > may => Err(Error::Failed(format!(
            "{} vCPUs need {} of memory, and may take {}: use fewer",
            args.vcpus,
            megabytes(needs),
            megabytes(may)
        ))),
        _ => Ok(()),
    }
}

/// What was made of the trace, and how much of it is a guess.
fn told(stats: &Stats) -> String {
    let Stats {
        faults,
        forks,
        threads,
        exits,
        guesses,
        unknown_lines,
        ..
    } = stats;
    format!(
        "{faults} faults, {forks} forks, {threads} threads, {exits} exits; {guesses} guesses, \
         {unknown_lines} other lines"
    )
}

struct All<'a> {
    job: &'a Job<'a>,
    rows: Vec<(bool, Replayed)>,
    error: Option<ReplayError>,
}

impl Visit<Native> for All<'_> {
    fn visit<S: Scheme<Native>>(&mut self) {
        if !self.job.wants(S::NAME) || self.error.is_some() {
            return;
        }
        let Job {
            script, plan, stop, ..
        } = self.job;
        match replay::<S>(script, *plan, stop.flag()) {
            Ok(row) => self.rows.push((S::CLAIMS.holds, row)),
            Err(error) => self.error = Some(error),
        }
    }
}

fn print(rows: &[(bool, Replayed)], format: Format, out: &mut Out) -> Result<(), Error> {
    if format == Format::Json {
        return rows.iter().try_for_each(|(_, row)| out.json(row));
    }
    let heading = [
        "scheme", "suspends", "holds", "injected", "stale", "wrong", "refused", "broken",
        "seconds", "wait, us", "longest", "verdict",
    ];
    let mut lines = vec![heading.map(str::to_owned).to_vec()];
    lines.extend(rows.iter().map(|(holds, row)| {
        let seconds = row.seconds.map_or("-".to_owned(), |s| format!("{s:.3}"));
        let wait = |us: Option<u64>| us.map_or("-".to_owned(), |us| us.to_string());
        let verdict = match (holds, row.sound()) {
            (true, true) => "sound",
            (true, false) => "UNSOUND",
            (false, _) if row.stale_uses > 0 => "caught",
            (false, _) => "not caught",
        };
        vec![
            row.scheme.clone(),
            row.suspends.to_string(),
            row.holds.to_string(),
            row.injected.to_string(),
            row.stale_uses.to_string(),
            row.wrong_frame.to_string(),
            row.refused.to_string(),
            row.broken_invariants.to_string(),
            seconds,
            wait(row.wait_us),
            wait(row.longest_wait_us),
            verdict.to_owned(),
        ]
    }));
    out.columns(&lines, 1)?;
    let unsound = rows.iter().filter(|(holds, row)| *holds && !row.sound());
    let unsound: Vec<&str> = unsound.map(|(_, row)| row.scheme.as_str()).collect();
    if unsound.is_empty() {
        return Ok(());
    }
    Err(Error::Failed(format!(
        "{} used stale MFNs though it claims to hold",
        unsound.join(", ")
    )))
}
