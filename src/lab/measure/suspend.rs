//! How long a suspend takes, and how long it stops a reader.
//!
//! Readers hold and let go in a [rhythm](Rhythm), each on a CPU of its own where there are enough; the
//! suspender, on another, suspends on an **open-loop** schedule: the next suspend is due at its time,
//! whether or not the last one is over, and is timed from then. It spins until it is due, so it is
//! awake and its cache is warm. Every suspend is a cancelled one (no MFN changes), so that what is
//! timed is the scheme.
//!
//! ```text
//! t0 due ... t1 called ... t2 suspend() returned ... t3 guard dropped ... t4 reader's first operation
//! ```
//!
//! How the reader's side is stamped: see [`watch`](super::watch). How the heavy fence is told from the
//! rest of t2 - t1: see [`clocked`](super::clocked). Schemes and conditions take turns in blocks, in an
//! order drawn from the seed, the bare heavy fence among them. A block that another process spoilt is
//! repeated.
//!
//! **With more threads than CPUs** the suspender sleeps until it is due, as a real one would, or the
//! scheduler would make it pay for its spinning; and none is due before the harness has heard of every
//! reader that it has gone on, which takes as many turns as there are readers a CPU. What is then measured is mostly the scheduler, and
//! nothing is repeated.

use super::batch::Done;
use super::contender::Worker;
use super::fair::BUSY;
use super::field::Field;
use super::neighbours::{REPEATS, spoilt};
use super::observe::{Halt, Observer, Row};
use super::rhythm::Rhythm;
use super::schedule::{Block, Schedule};
use super::shuffle::Shuffle;
use super::team::with_team;
use super::watch::{STARVED, Watch};
use crate::lab::sample::Failure;
use crate::platform::pinning;
use std::time::Duration;

/// Suspends in a block.
const BLOCK: u32 = 10;
/// What is run with one number of readers.
#[derive(Clone, Debug)]
pub struct Suspends {
    /// Readers besides the suspender.
    pub readers: usize,
    /// Mean time from one suspend to the next; each is a half to one and a half of it.
    pub period: Duration,
    /// A block of ten that takes longer than this ends early.
    pub limit: Duration,
    /// What is varied, one set of rows each.
    pub conditions: Vec<Condition>,
}

/// What the readers do, and what the suspender does with the world.
#[derive(Clone, Copy, Debug)]
pub struct Condition {
    /// Suspends of each scheme.
    pub samples: u32,
    /// What the readers do.
    pub rhythm: Rhythm,
    /// How long the world stays suspended.
    pub dwell: Duration,
}

impl Suspends {
    /// How long it takes with so many contenders, if each suspend is over when the next is due.
    pub fn expected(&self, contenders: usize) -> Duration {
        let samples: u32 = self.conditions.iter().map(|one| one.samples).sum();
        self.period * samples * contenders as u32
    }
}

/// One scheme under one condition.
struct Turn {
    runner: usize,
    condition: Condition,
    tried: u32,
    done: u32,
    starved: u32,
}

/// Runs all of `field`; its workload matters not, its size must be one more than the readers.
///
/// # Errors
/// [`Halt`] when stopped, or a thread is gone.
pub fn run(
    field: &Field,
    suspends: &Suspends,
    shuffle: &mut Shuffle,
    observer: &mut dyn Observer,
) -> Result<(), Halt> {
    let fail = |scheme: &str, err: String| {
        Row::Failure(Failure {
            workload: "suspend".to_owned(),
            scheme: scheme.to_owned(),
            threads: suspends.readers as u32 + 1,
            err,
        })
    };
    for (scheme, why) in &field.excused {
        observer.row(fail(scheme, why.clone()));
    }
    let cpus = pinning::allowed();
    let threads = suspends.readers + 1;
    if let Some(caveat) = pinning::caveat(threads, &cpus) {
        observer.note(&caveat);
    }
    let crowded = cpus.len() < threads;
    let turns = field.runners.iter().enumerate().flat_map(|(runner, _)| {
        suspends.conditions.iter().map(move |&condition| Turn {
            runner,
            condition,
            tried: 0,
            done: 0,
            starved: 0,
        })
    });
    let mut turns: Vec<Turn> = turns.collect();
    let what = format!("suspend /{}", suspends.readers);
    with_team(&field.everyone(), threads, &cpus, |team, _| {
        // As many repeats in all as there are blocks, or a busy machine would keep us for ever.
        let blocks = |turn: &Turn| turn.condition.samples.div_ceil(BLOCK) as usize;
        let mut repeats_left: usize = turns.iter().map(blocks).sum();
        while turns.iter().any(|turn| turn.tried < turn.condition.samples) {
            shuffle.shuffle(&mut turns);
            for turn in &mut turns {
                if observer.stopped() {
                    return Err(Halt::Stopped);
                }
                let count = BLOCK.min(turn.condition.samples - turn.tried);
                if count == 0 {
                    continue;
                }
                let schedule = Schedule {
                    suspends,
                    count,
                    dwell: turn.condition.dwell,
                    crowded,
                };
                let (mut block, mut lost) = (Block::default(), 0.0);
                for _ in 0..=REPEATS {
                    let suspender = |worker: &mut dyn Worker, watch: &Watch| {
                        schedule.run(worker, watch, shuffle)
                    };
                    let (taken, done) =
                        team.attend(turn.runner, turn.condition.rhythm, suspender)?;
                    (block, lost) = (taken, Done::share_lost(&[done]));
                    if crowded || !spoilt(done.lost, done.nanos) {
                        break;
                    }
                    if repeats_left == 0 {
                        observer.note(BUSY);
                        break;
                    }
                    repeats_left -= 1;
                }
                let runner = &field.runners[turn.runner];
                for (sample, times) in (turn.tried..).zip(&block.times) {
                    let mut row = times.row(runner.name(), suspends, &turn.condition, sample);
                    row.barrier_ns = row.barrier_ns.filter(|_| runner.tells_barrier());
                    row.lost = lost;
                    observer.row(Row::Suspend(row));
                }
                turn.tried += count;
                turn.done += block.times.len() as u32;
                turn.starved += block.starved;
                observer.progress(&what, suspends.period * count);
            }
        }
        for turn in &turns {
            if let Some(err) = turn.complaint(suspends) {
                observer.row(Row::Failure(Failure {
                    workload: "suspend".to_owned(),
                    scheme: field.runners[turn.runner].name().to_owned(),
                    threads: threads as u32,
                    err,
                }));
            }
        }
        Ok(())
    })
}

impl Turn {
    /// What is to be said if not every suspend was done.
    fn complaint(&self, suspends: &Suspends) -> Option<String> {
        let Condition {
            samples,
            rhythm,
            dwell,
        } = self.condition;
        if self.done >= samples {
            return None;
        }
        let mut text = format!(
            "{} of {samples} suspends done in the time allowed (readers {}, hold {} us, held {} %, dwell {} us)",
            self.done,
            suspends.readers,
            rhythm.hold.as_micros(),
            rhythm.held,
            dwell.as_micros(),
        );
        if self.starved > 0 {
            let (starved, limit) = (self.starved, STARVED.as_secs());
            text.push_str(&format!(
                "; {starved} came only after the readers gave way, at {limit} s"
            ));
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests;
