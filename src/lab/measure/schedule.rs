//! A block of suspends on their open-loop schedule, and the stamps of each.

use super::clocked::barrier_of;
use super::contender::Worker;
use super::shuffle::Shuffle;
use super::suspend::{Condition, Suspends};
use super::watch::Watch;
use crate::lab::sample::SuspendSample;
use std::thread;
use std::time::Duration;

/// How long before it is due a suspend is announced to the readers: they have stamped by then.
const NOTICE: Duration = Duration::from_micros(3);

/// A block's schedule.
pub(super) struct Schedule<'s> {
    pub(super) suspends: &'s Suspends,
    pub(super) count: u32,
    pub(super) dwell: Duration,
    pub(super) crowded: bool,
}

/// What came of a block.
#[derive(Default)]
pub(super) struct Block {
    pub(super) times: Vec<Times>,
    /// Suspends to which readers had to give way: they have no times.
    pub(super) starved: u32,
}

/// The stamps of one suspend, nanoseconds since the watch was made.
pub(super) struct Times {
    due: u64,
    called: u64,
    exclusive: u64,
    dropped: u64,
    released: u64,
    stall: u64,
    /// Nanoseconds of heavy fences before it was exclusive.
    barrier: u64,
}

impl Schedule<'_> {
    pub(super) fn run(
        &self,
        worker: &mut dyn Worker,
        watch: &Watch,
        shuffle: &mut Shuffle,
    ) -> Block {
        let mut block = Block::default();
        let period = self.suspends.period.as_nanos() as u64;
        let start = watch.now();
        let end = start + self.suspends.limit.as_nanos() as u64;
        let mut due = start;
        for serial in 1..=u64::from(self.count) {
            due += period / 2 + shuffle.below(period);
            if self.crowded {
                // It is the harness that waited for every reader's turn, not the suspender.
                due = due.max(watch.now() + period / 8);
                thread::sleep(Duration::from_nanos(due.saturating_sub(watch.now())));
                watch.asked(serial);
            } else {
                until(watch, due.saturating_sub(NOTICE.as_nanos() as u64));
                watch.asked(serial);
                until(watch, due);
            }
            let called = watch.now();
            let (mut exclusive, mut dropped) = (0, 0);
            let barrier = barrier_of(|| {
                worker.suspend(&mut || {
                    exclusive = watch.now();
                    watch.exclusive(serial);
                    if !self.dwell.is_zero() {
                        until(watch, exclusive + self.dwell.as_nanos() as u64);
                    }
                    dropped = watch.now();
                    watch.resuming(serial);
                });
            });
            if exclusive == 0 {
                // It gave up.
                break;
            }
            let met = watch.met(serial, called, exclusive);
            if watch.was_starved() {
                block.starved += 1;
            } else {
                block.times.push(Times {
                    due,
                    called,
                    exclusive,
                    dropped,
                    released: met.first_after,
                    stall: met.stall,
                    barrier,
                });
            }
            if watch.now() > end {
                break;
            }
        }
        block
    }
}

fn until(watch: &Watch, nanos: u64) {
    while watch.now() < nanos {
        std::hint::spin_loop();
    }
}

impl Times {
    pub(super) fn row(
        &self,
        scheme: &str,
        suspends: &Suspends,
        condition: &Condition,
        sample: u32,
    ) -> SuspendSample {
        let service = self.exclusive.saturating_sub(self.called);
        SuspendSample {
            scheme: scheme.to_owned(),
            readers: suspends.readers as u32,
            dwell_us: condition.dwell.as_micros() as u32,
            sample,
            exclusivity_ns: self.exclusive.saturating_sub(self.due),
            service_ns: service,
            work_ns: self.dropped.saturating_sub(self.exclusive),
            release_ns: self.released.saturating_sub(self.dropped),
            stall_ns: self.stall,
            hold_ns: condition.rhythm.hold.as_nanos() as u64,
            held_percent: condition.rhythm.held,
            barrier_ns: Some(self.barrier.min(service)),
            lost: 0.0,
        }
    }
}
