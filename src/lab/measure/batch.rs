//! One thread's part of a batch: work, the time it took, and the time it lost.

use super::contender::Worker;
use super::neighbours::Neighbours;
use std::hint::black_box;
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

/// One thread's whole part: a chunk that does not count, then as many as fit into the time. The batches of all
/// others have taken this one's lines out of the cache, but fewer of the baseline's, which runs between any two.
pub(super) fn part(neighbours: &Neighbours, worker: &mut dyn Worker, beat: &Beat) -> Done {
    black_box(worker.batch(beat.chunk));
    timed(neighbours, || run(worker, beat.chunk, beat.time))
}

/// Whole chunks until `time` is over; the clock is read between chunks only.
fn run(worker: &mut dyn Worker, chunk: u64, time: Duration) -> Done {
    let mut done = Done::default();
    let start = Instant::now();
    while done.ops == 0 || start.elapsed() < time {
        done.sum = done.sum.wrapping_add(worker.batch(chunk));
        done.ops += chunk;
    }
    done
}

/// A suspend at every `every`, the first after half of that, until `time` is over; asleep between. Who only
/// disturbs the others has no part of its own.
pub(super) fn disturb(worker: &mut dyn Worker, every: Duration, time: Duration) -> Done {
    let start = Instant::now();
    let mut due = every / 2;
    while due < time {
        std::thread::sleep(due.saturating_sub(start.elapsed()));
        worker.suspend(&mut || {});
        due += every;
    }
    Done::default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::measure::watch::Watch;

    /// Counts its operations.
    struct Counts(u64);

    impl Worker for Counts {
        fn batch(&mut self, n: u64) -> u64 {
            self.0 += n;
            1
        }
        fn suspend(&mut self, _: &mut dyn FnMut()) {}
        fn attend(&mut self, _: &Watch, _: usize) {}
    }

    #[test]
    fn the_first_chunk_does_not_count() {
        let mut worker = Counts(0);
        let beat = Beat {
            contender: 0,
            chunk: 10,
            time: Duration::ZERO,
            last: Last::Works,
        };
        let done = part(&Neighbours::of_this_thread(), &mut worker, &beat);
        assert_eq!((worker.0, done.ops, done.sum), (20, 10, 1));
    }
}
