//! What reader and suspender tell each other beside the scheme: enough to see that they met.
//!
//! Every access is `Relaxed`, so that no ordering of ours stands in for one that the scheme lacks.
//! (On x86 loads and stores are ordered all the same; what matters there is that nothing here is a
//! read-modify-write or a fence near a hold.)
//!
//! But for two Release stores that nobody acquires: `ThreadSanitizer` keeps one stack for all equal
//! accesses of a thread between two releases, and drops a report whose stack it has forgotten. A
//! scheme that releases nothing would often race unreported.

use crate::primitive::Padded;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Holds taken from the quota at a time: its read-modify-write is a full fence, and must be rare.
const BATCH: u64 = 256;

/// A reader's own line.
#[derive(Debug, Default)]
pub(super) struct Mark {
    /// Holds that it was about to begin.
    pub(super) entered: AtomicU64,
    /// Holds that it has ended.
    pub(super) left: AtomicU64,
    /// It will begin no more.
    pub(super) finished: AtomicBool,
}

/// All marks of one run.
#[derive(Debug)]
pub(super) struct Marks {
    /// Written by their readers.
    pub(super) readers: Box<[Padded<Mark>]>,
    /// The number of the last suspend that has changed every word; written while suspended.
    pub(super) changed: Padded<AtomicU64>,
    /// The number of the last suspend that is over; written after it.
    pub(super) resumed: Padded<AtomicU64>,
}

impl Marks {
    /// For so many readers, after `suspends` suspends.
    pub(super) fn new(readers: usize, suspends: u64) -> Self {
        Self {
            readers: (0..readers).map(|_| Padded::default()).collect(),
            changed: Padded(AtomicU64::new(suspends)),
            resumed: Padded(AtomicU64::new(suspends)),
        }
    }

    /// Whether every reader has finished.
    pub(super) fn finished(&self) -> bool {
        self.readers.iter().all(|m| m.0.finished.load(Relaxed))
    }
}

/// Holds that are still to be begun by anybody, and so also how far a run has got.
#[derive(Debug)]
pub struct Quota {
    taken: Padded<AtomicU64>,
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            taken: Padded(AtomicU64::new(0)),
        }
    }
}

impl Quota {
    /// Holds begun, or about to be, of the run that has this quota.
    pub fn taken(&self) -> u64 {
        self.taken.0.load(Relaxed)
    }

    /// Takes some holds, as long as fewer than `limit` are taken.
    pub(super) fn take(&self, limit: u64) -> Option<u64> {
        let mut taken = self.taken();
        while taken < limit {
            let some = BATCH.min(limit - taken);
            let exchange =
                self.taken
                    .0
                    .compare_exchange_weak(taken, taken + some, Relaxed, Relaxed);
            match exchange {
                Ok(_) => return Some(some),
                Err(now) => taken = now,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_gives_what_it_has_and_no_more() {
        let quota = Quota::default();
        let given: u64 = std::iter::from_fn(|| quota.take(1000)).sum();
        assert_eq!((given, quota.taken()), (1000, 1000));
    }
}
