//! Rounds of interleaved batches: every contender between two batches of the baseline.
//!
//! A round takes the contenders in an order of its own, drawn from the seed:
//! `raw c3 raw c1 raw c2 raw`; the raw batch between two contenders is "after" to one and "before" to
//! the other. Batches have a fixed time, not a fixed count, so that all threads are at it for the
//! whole of it; each reads the clock between chunks of about a thirtieth of a batch. The first chunk is not timed: it
//! brings back what others pushed out of the cache. A batch that
//! another process spoilt is repeated, unless there are more threads than CPUs.
//!
//! A chunk always starts from the same state, so its checksum is known: the baseline's. A contender
//! that returns another one has not done the work, and is out, with a row that says so.

use super::batch::{Beat, Done, Last};
use super::contender::Contender;
use super::fair::Fair;
use super::field::Field;
use super::observe::{Halt, Observer, Row};
use super::shuffle::Shuffle;
use super::team::{Team, with_team};
use crate::lab::sample::{Failure, Sample, Workload};
use crate::platform::pinning;
use std::time::Duration;

/// Chunks in a batch, about.
const CHUNKS: u32 = 32;
/// Operations of the first, trial chunk.
const TRIAL: u64 = 64;
/// A trial takes half of this at most.
const TRIAL_TIME: Duration = Duration::from_millis(2);

/// What is run.
#[derive(Clone, Copy, Debug)]
pub struct Pairing {
    /// The operation.
    pub workload: Workload,
    /// Threads at once.
    pub threads: usize,
    /// Rounds: samples of each contender.
    pub rounds: u32,
    /// Time of a contender's batch.
    pub batch: Duration,
    /// Time of a baseline batch.
    pub raw: Duration,
    /// What a batch takes at least, about: a pass through a trace cannot be shortened.
    pub least: Duration,
    /// How often a suspender of its own, besides the threads, suspends during a contender's batch.
    pub every: Option<Duration>,
}

impl Pairing {
    /// How long it takes with so many contenders, without calibration.
    pub fn expected(&self, contenders: usize) -> Duration {
        self.turn() * contenders as u32 * self.rounds
    }

    /// A contender's batch and a baseline one, each after a chunk, which is nothing unless it cannot be shortened.
    fn turn(&self) -> Duration {
        self.batch.max(self.least) + self.raw.max(self.least) + 2 * self.least
    }

    /// Threads in all, the suspender included.
    pub fn team(&self) -> usize {
        self.threads + usize::from(self.every.is_some())
    }

    /// A contender's batch.
    fn beat(&self, entrant: &Entrant) -> Beat {
        Beat {
            contender: entrant.index,
            chunk: entrant.chunk,
            time: self.batch,
            last: self.every.map_or(Last::Works, Last::Suspends),
        }
    }

    /// A baseline batch.
    fn raw_beat(&self, raw: &Entrant) -> Beat {
        Beat {
            contender: raw.index,
            chunk: raw.chunk,
            time: self.raw,
            last: self.every.map_or(Last::Works, |_| Last::Idles),
        }
    }
}

/// A contender that is set up.
struct Entrant {
    index: usize,
    name: &'static str,
    chunk: u64,
    /// The checksum of one chunk.
    expected: u64,
    holds_per_op: Option<f64>,
}

impl Entrant {
    fn is_right(&self, done: &Done) -> bool {
        done.sum == self.expected.wrapping_mul(done.ops / self.chunk)
    }
}

/// Runs all of `field`.
///
/// # Errors
/// [`Halt`] when stopped, or a thread is gone. Whoever merely cannot run gets a row.
pub fn run(
    field: &Field,
    pairing: &Pairing,
    shuffle: &mut Shuffle,
    observer: &mut dyn Observer,
) -> Result<(), Halt> {
    let fail = |scheme: &str, err: &str| {
        Row::Failure(Failure {
            workload: pairing.workload.name().to_owned(),
            scheme: scheme.to_owned(),
            threads: pairing.threads as u32,
            err: err.to_owned(),
        })
    };
    for (scheme, why) in &field.excused {
        observer.row(fail(scheme, why));
    }
    if field.runners.is_empty() {
        return Ok(());
    }
    let cpus = pinning::allowed();
    if let Some(caveat) = pinning::caveat(pairing.team(), &cpus) {
        observer.note(&caveat);
    }
    let everyone = field.everyone();
    with_team(&everyone, pairing.team(), &cpus, |team, pinned| {
        if !pinned && !cpus.is_empty() {
            observer.note("threads are not pinned: the kernel refused");
        }
        let mut fair = Fair::new(pairing.team() <= cpus.len());
        let baseline = everyone.len() - 1;
        let mut set_up = |index, time| set_up(team, &everyone, pairing, index, time);
        let raw = set_up(baseline, pairing.raw)?;
        let mut entrants = Vec::new();
        for index in 0..baseline {
            if observer.stopped() {
                return Err(Halt::Stopped);
            }
            entrants.push(set_up(index, pairing.batch)?);
        }
        let mut wrong: Vec<usize> = Vec::new();
        for round in 0..pairing.rounds {
            shuffle.shuffle(&mut entrants);
            let mut before = fair.batch(team, pairing.raw_beat(&raw))?;
            for entrant in &entrants {
                if observer.stopped() {
                    return Err(Halt::Stopped);
                }
                let done = fair.batch(team, pairing.beat(entrant))?;
                let after = fair.batch(team, pairing.raw_beat(&raw))?;
                if !entrant.is_right(&done) {
                    wrong.push(entrant.index);
                } else {
                    observer.row(Row::Sample(Sample {
                        workload: pairing.workload,
                        scheme: entrant.name.to_owned(),
                        threads: pairing.threads as u32,
                        round,
                        ops: done.ops,
                        ns: done.ns_per_op(),
                        raw_before_ns: before.ns_per_op(),
                        raw_after_ns: after.ns_per_op(),
                        holds_per_op: entrant.holds_per_op,
                        lost: Done::share_lost(&[before, done, after]),
                    }));
                }
                before = after;
                observer.progress(
                    &format!("{} x{}", pairing.workload.name(), pairing.threads),
                    pairing.turn(),
                );
            }
            entrants.retain(|entrant| {
                let out = wrong.contains(&entrant.index);
                if out {
                    observer.row(fail(
                        entrant.name,
                        "its checksum is not the unprotected one's",
                    ));
                }
                !out
            });
            wrong.clear();
        }
        fair.tell(observer);
        Ok(())
    })
}

/// Finds a contender's chunk, under the very load that it will have, and the checksum that it should
/// have: that of the last of `everyone`.
fn set_up(
    team: &mut Team<'_>,
    everyone: &[&dyn Contender],
    pairing: &Pairing,
    index: usize,
    time: Duration,
) -> Result<Entrant, Halt> {
    let grain = everyone[index].grain();
    let mut chunk = TRIAL.next_multiple_of(grain);
    for _ in 0..2 {
        let trial = team.batch(Beat {
            contender: index,
            chunk,
            time: time.min(TRIAL_TIME) / 2,
            last: pairing.every.map_or(Last::Works, |_| Last::Idles),
        })?;
        let fitting = time.as_nanos() as f64 / f64::from(CHUNKS) / trial.ns_per_op().max(0.01);
        chunk = (fitting as u64).max(1).next_multiple_of(grain);
    }
    Ok(Entrant {
        index,
        name: everyone[index].name(),
        chunk,
        expected: team.checksum(everyone.len() - 1, chunk),
        holds_per_op: everyone[index].holds_per_op(),
    })
}

#[cfg(test)]
mod tests;
