//! Steps, as the scheduler counts them: the time of a progress measurement.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Steps since the execution began; the scheduler's to advance, anybody's to read.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock(Arc<AtomicU64>);

impl Clock {
    /// Steps so far. No scheduling point.
    pub(super) fn now(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// One step more; returns how many there are now.
    pub(super) fn tick(&self) -> u64 {
        self.0.fetch_add(1, Relaxed) + 1
    }

    pub(super) fn restart(&self) {
        self.0.store(0, Relaxed);
    }
}
