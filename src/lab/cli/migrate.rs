//! `ptom replay --migrate`: the guest moves between two hosts while the trace runs.
//!
//! Times are means a move, and rank nobody: the tools share the machine with the guest that they move.

use super::output::{Format, Out, complain};
use super::{Error, replay::Job};
use crate::backend::Native;
use crate::lab::replay::{End, Moved, ReplayError, run_migrating, undisturbed};
use crate::native::each_native;
use crate::scheme::{Scheme, Visit};
use std::thread::available_parallelism;

/// vCPUs at most: each has a whole clone of the trace on both hosts.
const MOST_VCPUS: usize = 64;

pub(super) fn run(job: &Job<'_>, format: Format, out: &mut Out) -> Result<(), Error> {
    let vcpus = job.plan.vcpus;
    if vcpus > MOST_VCPUS {
        return Err(Error::Usage(format!(
            "--migrate takes 1 to {MOST_VCPUS} vCPUs, not {vcpus}"
        )));
    }
    let cores = available_parallelism().map_or(1, usize::from);
    if vcpus + 1 > cores {
        complain(&format!(
            "{vcpus} vCPUs and the tools are threads on {cores} cores: they take turns, so rounds and \
             downtimes say nothing of a machine that has more"
        ));
    }
    let failed = |error: ReplayError| Error::Failed(error.to_string());
    let should = undisturbed(job.script, job.plan, job.stop.flag()).map_err(failed)?;
    let mut all = All {
        job,
        should: &should,
        rows: Vec::new(),
        error: None,
    };
    each_native(&mut all);
    job.bar.finish_and_clear();
    if job.stop.is_set() {
        return Err(Error::Interrupted);
    }
    if let Some(error) = all.error {
        return Err(failed(error));
    }
    print(&all.rows, format, out)
}

struct All<'a> {
    job: &'a Job<'a>,
    should: &'a End,
    rows: Vec<(bool, Moved)>,
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
        match run_migrating::<S>(script, *plan, self.should, stop.flag()) {
            Ok(row) => self.rows.push((S::CLAIMS.holds, row)),
            Err(error) => self.error = Some(error),
        }
    }
}

fn print(rows: &[(bool, Moved)], format: Format, out: &mut Out) -> Result<(), Error> {
    if format == Format::Json {
        rows.iter().try_for_each(|(_, row)| out.json(row))?;
    } else {
        out.columns(&table(rows), 1)?;
    }
    for (_, row) in rows {
        if let Some(example) = &row.differences.example {
            complain(&format!("{}: {example}", row.replay.scheme));
        }
    }
    let unsound = rows.iter().filter(|(holds, row)| *holds && !row.sound());
    let unsound: Vec<&str> = unsound.map(|(_, row)| row.replay.scheme.as_str()).collect();
    if unsound.is_empty() {
        return Ok(());
    }
    Err(Error::Failed(format!(
        "{} did not keep the guest as it was though it claims to hold",
        unsound.join(", ")
    )))
}

fn table(rows: &[(bool, Moved)]) -> Vec<Vec<String>> {
    let heading = [
        "scheme",
        "moves",
        "failed",
        "rounds",
        "dirty, first move",
        "put off",
        "dropped",
        "stopped ms",
        "restore ms",
        "injected",
        "stale",
        "pages",
        "differ",
        "verdict",
    ];
    let mut lines = vec![heading.map(str::to_owned).to_vec()];
    lines.extend(rows.iter().map(|(holds, row)| line(*holds, row)));
    lines
}

fn line(holds: bool, row: &Moved) -> Vec<String> {
    let moves = row.migrations.len();
    let mean = |sum: f64| match moves {
        0 => "-".to_owned(),
        _ => format!("{:.1}", sum / moves as f64),
    };
    let rounds = row.migrations.iter().map(|m| m.rounds.len()).sum::<usize>();
    let stopped = row.migrations.iter().map(|m| m.stopped_us()).sum::<f64>();
    let restore = row.migrations.iter().map(|m| m.restore_us).sum::<f64>();
    let first = row.migrations.first().map(|m| m.rounds.as_slice());
    let dirty: Vec<String> = first
        .into_iter()
        .flatten()
        .map(|round| round.dirty.to_string())
        .collect();
    let live = row.migrations.iter().filter_map(|m| m.rounds.split_last());
    let put_off: u64 = live.flat_map(|(_, live)| live).map(|r| r.unresolved).sum();
    let differ = row.differences.count();
    let verdict = match (holds, row.sound()) {
        (true, true) => "equal",
        (true, false) => "UNSOUND",
        (false, _) if differ > 0 => "caught",
        (false, _) => "not caught",
    };
    vec![
        row.replay.scheme.clone(),
        moves.to_string(),
        row.replay.failed_suspends.to_string(),
        mean(rounds as f64),
        dirty.join(" "),
        put_off.to_string(),
        row.replay.lost_tables.to_string(),
        mean(stopped / 1e3),
        mean(restore / 1e3),
        row.replay.injected.to_string(),
        row.replay.stale_uses.to_string(),
        row.differences.pages.to_string(),
        differ.to_string(),
        verdict.to_owned(),
    ]
}
