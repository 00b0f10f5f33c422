//! The stress of one scheme: readers hold, a suspender changes words, and nobody may see it happen.
//!
//! Half of a run has its threads pinned, the suspender to one CPU and the readers to the others, so
//! that they meet at full speed; in the other half the kernel places them, and readers meet readers.

use super::cold::Cold;
use super::marks::Marks;
pub use super::marks::Quota;
use super::oracle::Past;
use super::outcome::Outcome;
use super::payload::Payload;
use super::plan::Plan;
use super::reader::Holder;
use super::suspender::Suspender;
use crate::backend::Backend;
use crate::platform::pinning::{self, Pinned};
use crate::scheme::{Scheme, Size, Tables};
use fastrand::Rng;
use std::thread;
use std::time::Instant;

/// A scheme with two modes changes between them all the time: suspends come every few holds.
const TABLES: Tables = Tables {
    slow_holds: 16,
    ..Tables::FULL
};

/// Stresses a scheme for [`Plan::holds`] holds, on `payload`, whose words must be 0.
///
/// `quota` must be fresh; another thread may read it to see how far the run is. Takes about a
/// microsecond a hold; 16 MiB a reader.
///
/// # Panics
/// If a thread cannot be started, or the scheme panics. A scheme that deadlocks never returns.
pub fn run<B: Backend, S: Scheme<B>, P: Payload>(
    plan: Plan,
    payload: &P,
    quota: &Quota,
) -> Outcome {
    let scheme = S::new(Size {
        readers: plan.readers + 1,
        tables: TABLES,
    });
    let mut rng = Rng::with_seed(plan.seed);
    let mut outcome = Outcome::default();
    for (pinned, limit) in [(true, plan.holds / 2), (false, plan.holds)] {
        let cpus = if pinned {
            pinning::allowed()
        } else {
            Vec::new()
        };
        let begin = Instant::now();
        let after = outcome.suspends;
        let phase = Phase {
            scheme: &scheme,
            payload,
            quota,
            limit,
            cpus: &cpus,
            after,
        };
        outcome += phase.run::<B>(plan.readers, &mut rng);
        outcome.elapsed += begin.elapsed();
    }
    outcome
}

/// One half of a run.
struct Phase<'a, S, P> {
    scheme: &'a S,
    payload: &'a P,
    quota: &'a Quota,
    /// Holds taken from the quota when it ends.
    limit: u64,
    /// Where to pin to; empty: nowhere.
    cpus: &'a [usize],
    /// Suspends before it.
    after: u64,
}

impl<S, P: Payload> Phase<'_, S, P> {
    fn run<B: Backend>(&self, readers: usize, rng: &mut Rng) -> Outcome
    where
        S: Scheme<B>,
    {
        let marks = Marks::new(readers, self.after);
        let mut outcome = Outcome::default();
        thread::scope(|scope| {
            let mut threads = Vec::new();
            for (index, mark) in marks.readers.iter().enumerate() {
                let holder = Holder {
                    scheme: self.scheme,
                    payload: self.payload,
                    marks: &marks,
                    mark: &mark.0,
                    rng: rng.fork(),
                    past: Past::default(),
                    cold: Cold::new(),
                    outcome: Outcome::default(),
                };
                threads.push(scope.spawn(move || {
                    let _pinned = self.pin(1 + index);
                    holder.run::<B>(self.quota, self.limit)
                }));
            }
            let suspender = Suspender {
                scheme: self.scheme,
                payload: self.payload,
                marks: &marks,
                rng: rng.fork(),
                outcome: Outcome::default(),
            };
            threads.push(scope.spawn(|| {
                let _pinned = self.pin(0);
                suspender.run::<B>(self.after)
            }));
            for thread in threads {
                outcome += thread.join().expect("a thread of the stress panicked");
            }
        });
        outcome
    }

    /// Thread 0, the suspender, gets the first CPU; readers share the others. Where it is refused the run goes
    /// on, and its verdict says whether they met.
    fn pin(&self, thread: usize) -> Pinned {
        match (thread, self.cpus) {
            (1.., [_, others @ ..]) if !others.is_empty() => Pinned::new(thread - 1, others),
            _ => Pinned::new(0, self.cpus),
        }
    }
}
