//! One thread's part of a batch: work, the time it took, and the time it lost.

use super::contender::Worker;
use super::neighbours::Neighbours;
use std::time::{Duration, Instant};

/// A batch, as all threads are told of it.
#[derive(Clone, Copy, Debug)]
pub struct Beat {
    /// Who runs.
    pub contender: usize,
    /// Operations between two looks at the clock.
    pub chunk: u64,
    /// How long.
    pub time: Duration,
    /// What the last thread does.
    pub last: Last,
}

/// What the last thread of a team does in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// As the others.
    Works,
    /// Nothing, besides the others.
    Idles,
    /// Suspends that often, and resumes at once, besides the others.
    Suspends(Duration),
}

/// What one thread, or the whole team, did in a batch.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    /// Operations.
    pub ops: u64,
    /// Nanoseconds of thread time; of several threads, the sum.
    pub nanos: u64,
    /// The sum of all checksums.
    pub sum: u64,
    /// Nanoseconds of thread time that other processes took.
    pub lost: u64,
}

impl Done {
    /// With what another thread did.
    pub(super) fn add(&mut self, part: Done) {
        self.ops += part.ops;
        self.nanos += part.nanos;
        self.sum = self.sum.wrapping_add(part.sum);
        self.lost += part.lost;
    }

    /// The part of these batches' thread time that other processes took.
    pub(super) fn share_lost(parts: &[Done]) -> f64 {
        let lost: u64 = parts.iter().map(|part| part.lost).sum();
        let nanos: u64 = parts.iter().map(|part| part.nanos).sum();
        lost as f64 / nanos.max(1) as f64
    }

    /// Nanoseconds an operation, by thread.
    pub fn ns_per_op(&self) -> f64 {
        self.nanos as f64 / self.ops.max(1) as f64
    }
}

/// What `work` did, how long it took, and what it lost.
pub(super) fn timed(neighbours: &Neighbours, work: impl FnOnce() -> Done) -> Done {
    let mark = neighbours.mark();
    let start = Instant::now();
    let mut done = work();
    done.nanos = start.elapsed().as_nanos() as u64;
    done.lost = neighbours.lost_since(mark);
    done
}

/// Whole chunks until `time` is over; the clock is read between chunks only.
pub(super) fn run(worker: &mut dyn Worker, chunk: u64, time: Duration) -> Done {
    let mut done = Done::default();
    let start = Instant::now();
    while done.ops == 0 || start.elapsed() < time {
        done.sum = done.sum.wrapping_add(worker.batch(chunk));
        done.ops += chunk;
    }
    done
}

/// A suspend at every `every`, the first after half of that, until `time` is over; asleep between.
pub(super) fn disturb(worker: &mut dyn Worker, every: Duration, time: Duration) {
    let start = Instant::now();
    let mut due = every / 2;
    while due < time {
        std::thread::sleep(due.saturating_sub(start.elapsed()));
        worker.suspend(&mut || {});
        due += every;
    }
}
