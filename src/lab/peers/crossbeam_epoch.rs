//! `crossbeam_epoch`: a peer, epochs as `crossbeam` has them.
//!
//! A reader pins the epoch; the suspender publishes another table. The library frees, and never
//! waits: there is no synchronous grace period in its interface. So the suspender defers a function,
//! and pins and flushes until it has run; that is when nobody can be pinned in the old epoch.
//!
//! Each contender has a collector of its own, so that other users of the library do not delay it.

use super::kit::{Protection, Tables, contender, wait};
use super::{Gives, Order, Peer};
use crate::lab::measure::p2m::translate;
use crate::lab::measure::site::Site;
use crossbeam::epoch::{Collector, LocalHandle};
use std::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Release},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Who it is.
pub const PEER: Peer = Peer {
    name: "crossbeam_epoch",
    precedent: "Rust crossbeam::epoch, LocalHandle::pin",
    gives: Gives::GracePeriod,
    nests: true,
    lacks: "no synchronous grace period: a deferred function is flushed until it has run",
    optional: false,
    since: 1,
    make: Some(contender::<CrossbeamEpoch>),
};

/// A collector, and what it protects.
#[derive(Debug)]
pub struct CrossbeamEpoch {
    collector: Collector,
    tables: Tables,
    /// Held while one suspends.
    alone: Mutex<()>,
}

impl Protection for CrossbeamEpoch {
    type Site<'s> = CrossbeamEpochSite<'s>;

    fn new(order: &Order<'_>) -> Self {
        Self {
            collector: Collector::new(),
            tables: Tables::new(order.table),
            alone: Mutex::new(()),
        }
    }

    fn site(&self) -> CrossbeamEpochSite<'_> {
        CrossbeamEpochSite {
            handle: self.collector.register(),
            shared: self,
        }
    }
}

/// A registered thread.
#[derive(Debug)]
pub struct CrossbeamEpochSite<'s> {
    handle: LocalHandle,
    shared: &'s CrossbeamEpoch,
}

impl Site for CrossbeamEpochSite<'_> {
    #[inline]
    fn with<R>(&self, pfn: u64, used: impl FnOnce(Option<u64>) -> R) -> R {
        let _pinned = self.handle.pin();
        used(translate(self.shared.tables.current().words(), pfn))
    }

    #[inline]
    fn held<R>(&self, inner: impl FnOnce() -> R) -> R {
        let _pinned = self.handle.pin();
        inner()
    }

    #[inline]
    fn snapshot(&self, pfn: u64) -> Option<u64> {
        self.with(pfn, |mfn| mfn)
    }

    fn suspend(&mut self, during: &mut dyn FnMut()) {
        let _alone: MutexGuard<'_, ()> = self
            .shared
            .alone
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.shared.tables.publish();
        let over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&over);
        // ORDERING: Release pairs with the Acquire below: whatever the function's thread learnt of
        // the readers that are gone is known to the suspender.
        self.handle.pin().defer(move || told.store(true, Release));
        let passed = wait(|| {
            self.handle.pin().flush();
            over.load(Acquire)
        });
        if passed {
            during();
        }
    }
}
