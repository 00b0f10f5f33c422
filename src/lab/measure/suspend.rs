//! How long a suspend takes, and how long it stops a reader.
//!
//! One reader holds and lets go as fast as it can, on a CPU of its own; the suspender, on another,
//! suspends on an **open-loop** schedule: the next suspend is due at its time, whether or not the
//! last one is over, and is timed from then. It spins until it is due, so it is awake and its cache
//! is warm. Every suspend is a cancelled one (no MFN changes), so that what is timed is the scheme.
//!
//! ```text
//! t0 due ... t1 called ... t2 suspend() returned ... t3 guard dropped ... t4 reader's first operation
//! ```
//!
//! How the reader's side is stamped without a clock read an operation: see [`watch`](super::watch).
//! Schemes take turns in blocks, in an order drawn from the seed. A block that another process spoilt
//! is repeated.

use super::contender::{Field, Worker};
use super::fair::BUSY;
use super::neighbours::{REPEATS, spoilt};
use super::observe::{Halt, Observer, Row};
use super::shuffle::Shuffle;
use super::team::with_team;
use super::watch::Watch;
use crate::lab::sample::{Failure, SuspendSample};
use crate::platform::pinning;
use std::time::Duration;

/// Suspends in a block.
const BLOCK: u32 = 10;
/// How long before it is due a suspend is announced to the readers: they have stamped by then.
const NOTICE: Duration = Duration::from_micros(3);
/// A block that takes so many times its schedule ends early.
const PATIENCE: u32 = 20;

/// What is run.
#[derive(Clone, Debug)]
pub struct Suspends {
    /// Suspends of each scheme, for each dwell.
    pub samples: u32,
    /// Mean time from one to the next; each is a half to one and a half of it.
    pub period: Duration,
    /// How long the world stays suspended, one row set each.
    pub dwells: Vec<Duration>,
    /// Readers besides the suspender.
    pub readers: usize,
}

impl Suspends {
    /// How long it takes with so many contenders.
    pub fn expected(&self, contenders: usize) -> Duration {
        self.period * self.samples * (contenders * self.dwells.len()) as u32
    }
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
    let needed = suspends.readers + 1;
    if cpus.len() < needed {
        for runner in &field.runners {
            let err = format!(
                "needs {needed} CPUs, has {}: the rest is scheduling",
                cpus.len()
            );
            observer.row(fail(runner.name(), err));
        }
        return Ok(());
    }
    let blocks = suspends.samples.div_ceil(BLOCK);
    let mut turns: Vec<(usize, Duration)> = (0..field.runners.len())
        .flat_map(|runner| suspends.dwells.iter().map(move |&dwell| (runner, dwell)))
        .collect();
    with_team(&field.runners, needed, &cpus, |team, _| {
        // As many repeats in all as there are blocks, or a busy machine would keep us for ever.
        let mut repeats_left = blocks as usize * turns.len();
        for block in 0..blocks {
            shuffle.shuffle(&mut turns);
            for &(runner, dwell) in &turns {
                if observer.stopped() {
                    return Err(Halt::Stopped);
                }
                let first = block * BLOCK;
                let count = BLOCK.min(suspends.samples - first);
                let schedule = Schedule {
                    period: suspends.period,
                    count,
                    dwell,
                };
                let mut times = Vec::new();
                for _ in 0..=REPEATS {
                    let suspender = |worker: &mut dyn Worker, watch: &Watch| {
                        schedule.run(worker, watch, shuffle)
                    };
                    let (taken, done) = team.attend(runner, suspender)?;
                    times = taken;
                    if !spoilt(done.lost, done.nanos) {
                        break;
                    }
                    if repeats_left == 0 {
                        observer.note(BUSY);
                        break;
                    }
                    repeats_left -= 1;
                }
                let name = field.runners[runner].name();
                for (sample, times) in (first..).zip(&times) {
                    observer.row(Row::Suspend(times.row(name, suspends, dwell, sample)));
                }
                if times.len() < count as usize {
                    let err = format!("{} of {count} suspends in the time allowed", times.len());
                    observer.row(fail(name, err));
                }
                observer.progress("suspend", suspends.period * count);
            }
        }
        Ok(())
    })
}

/// A block's schedule.
struct Schedule {
    period: Duration,
    count: u32,
    dwell: Duration,
}

/// The stamps of one suspend, nanoseconds since the watch was made.
struct Times {
    due: u64,
    called: u64,
    exclusive: u64,
    dropped: u64,
    released: u64,
    stall: u64,
}

impl Schedule {
    fn run(&self, worker: &mut dyn Worker, watch: &Watch, shuffle: &mut Shuffle) -> Vec<Times> {
        let mut all = Vec::with_capacity(self.count as usize);
        let period = self.period.as_nanos() as u64;
        let start = watch.now();
        let end = start + period * u64::from(self.count * PATIENCE);
        let mut due = start;
        for serial in 1..=u64::from(self.count) {
            due += period / 2 + shuffle.below(period);
            until(watch, due.saturating_sub(NOTICE.as_nanos() as u64));
            watch.asked(serial);
            until(watch, due);
            let called = watch.now();
            let (mut exclusive, mut dropped) = (0, 0);
            worker.suspend(&mut || {
                exclusive = watch.now();
                watch.exclusive(serial);
                if !self.dwell.is_zero() {
                    until(watch, exclusive + self.dwell.as_nanos() as u64);
                }
                dropped = watch.now();
                watch.resuming(serial);
            });
            if exclusive == 0 {
                // It gave up.
                break;
            }
            let met = watch.met(serial, called, exclusive);
            all.push(Times {
                due,
                called,
                exclusive,
                dropped,
                released: met.first_after,
                stall: met.stall,
            });
            if watch.now() > end {
                break;
            }
        }
        all
    }
}

fn until(watch: &Watch, nanos: u64) {
    while watch.now() < nanos {
        std::hint::spin_loop();
    }
}

impl Times {
    fn row(
        &self,
        scheme: &str,
        suspends: &Suspends,
        dwell: Duration,
        sample: u32,
    ) -> SuspendSample {
        SuspendSample {
            scheme: scheme.to_owned(),
            readers: suspends.readers as u32,
            dwell_us: dwell.as_micros() as u32,
            sample,
            exclusivity_ns: self.exclusive.saturating_sub(self.due),
            service_ns: self.exclusive.saturating_sub(self.called),
            work_ns: self.dropped.saturating_sub(self.exclusive),
            release_ns: self.released.saturating_sub(self.dropped),
            stall_ns: self.stall,
        }
    }
}

#[cfg(test)]
mod tests;
