//! `seize`: a peer, Hyaline reference counting of what readers may still see.
//!
//! A reader enters with a plain store and a light barrier; the suspender publishes another table. The
//! library reclaims, and never waits. What a thread retires goes into a batch, and a batch is handed
//! to the readers only if it has an entry for each that is active: one value retired alone is never
//! handed over while two readers are busy. So the suspender retires a whole batch of notices, one
//! more than there are threads, and waits until the last is dropped.

#![allow(unsafe_code)]

use super::kit::{Protection, contender, wait};
use super::{Gives, Order, Peer};
use crate::lab::measure::p2m::{P2m, translate};
use crate::lab::measure::site::Site;
use ::seize::{Collector, Guard, reclaim};
use std::ptr;
use std::sync::atomic::{
    AtomicPtr, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{Arc, Mutex, PoisonError};

/// Who it is.
pub const PEER: Peer = Peer {
    name: "seize",
    precedent: "Rust seize, Collector::enter",
    gives: Gives::GracePeriod,
    nests: true,
    lacks: "no synchronous grace period: notices are retired, one more than there are threads",
    optional: false,
    since: 1,
    make: Some(contender::<Seize>),
};

/// A collector, and what it protects.
#[derive(Debug)]
pub struct Seize {
    collector: Collector,
    /// Notices in a batch.
    batch: usize,
    /// Nothing of ours is freed, so the pointer that the library wants to load for its readers
    /// (with the ordering that the machine at hand needs) is the number of a table.
    tables: [P2m; 2],
    current: AtomicPtr<P2m>,
    /// Held while one suspends.
    alone: Mutex<()>,
}

impl Protection for Seize {
    type Site<'s> = SeizeSite<'s>;

    fn new(order: &Order<'_>) -> Self {
        let batch = order.threads + 1;
        Self {
            collector: Collector::new().batch_size(batch),
            batch,
            tables: [P2m::clone(order.table), P2m::clone(order.table)],
            current: AtomicPtr::default(),
            alone: Mutex::new(()),
        }
    }

    fn site(&self) -> SeizeSite<'_> {
        SeizeSite(self)
    }
}

impl Seize {
    /// The current table.
    #[inline]
    fn table(&self, guard: &impl Guard) -> &P2m {
        // ORDERING: Acquire, or what the library makes of it, pairs with the Release in `suspend`.
        &self.tables[guard.protect(&self.current, Acquire).addr() & 1]
    }

    /// Makes the other table current. One thread at a time.
    fn publish(&self) {
        let next = self.current.load(Relaxed).addr() ^ 1;
        // ORDERING: Release pairs with the Acquire of `table`. Before the readers' light barrier it
        // is put by the heavy one with which the library hands over the batch that follows.
        let next = ptr::without_provenance_mut(next);
        self.current.store(next, Release);
    }
}

/// A value that says when it is reclaimed.
struct Notice(Arc<AtomicUsize>);

impl Drop for Notice {
    fn drop(&mut self) {
        // ORDERING: Release pairs with the Acquire in `suspend`: what the reader that was the last
        // to leave did before is known to the suspender.
        self.0.fetch_sub(1, Release);
    }
}

/// A thread's part; the library registers it by itself.
#[derive(Debug)]
pub struct SeizeSite<'s>(&'s Seize);

impl Site for SeizeSite<'_> {
    #[inline]
    fn with<R>(&self, pfn: u64, used: impl FnOnce(Option<u64>) -> R) -> R {
        let guard = self.0.collector.enter();
        used(translate(self.0.table(&guard).words(), pfn))
    }

    #[inline]
    fn held<R>(&self, inner: impl FnOnce() -> R) -> R {
        let _guard = self.0.collector.enter();
        inner()
    }

    #[inline]
    fn snapshot(&self, pfn: u64) -> Option<u64> {
        self.with(pfn, |mfn| mfn)
    }

    fn suspend(&mut self, during: &mut dyn FnMut()) {
        let shared = self.0;
        let _alone = shared.alone.lock().unwrap_or_else(PoisonError::into_inner);
        shared.publish();
        let left = Arc::new(AtomicUsize::new(shared.batch));
        for _ in 0..shared.batch {
            let notice = Box::into_raw(Box::new(Notice(Arc::clone(&left))));
            // SAFETY: the box was made in the line above, nobody else has its address, and it is
            // reclaimed as the box that it is, once.
            unsafe { shared.collector.retire(notice, reclaim::boxed) };
        }
        // The last of them has filled the batch, which is with the readers now.
        if wait(|| left.load(Acquire) == 0) {
            during();
        }
    }
}
