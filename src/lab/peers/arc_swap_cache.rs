//! `arc_swap_cache`: a peer, the same pointer through a cache a thread.
//!
//! A load compares the cached pointer with the current one, and writes nothing. The table that it
//! returns is borrowed from the cache until the next load, so the old one is gone when every thread
//! has loaded again: quiescence, and a thread that does not read keeps the suspender waiting. The
//! suspender's own cache loads once it has swapped.
//!
//! A load wants the cache to itself (`&mut`), so reads do not nest, and the loops are written here
//! once more: [`Site`] shares, and a check at run time is for suspends' readers only.

use super::arc_swap::Swapped;
use super::kit::Protection;
use super::{Gives, Order, Peer};
use crate::lab::measure::contender::{Contender, Worker};
use crate::lab::measure::p2m::{P2m, translate};
use crate::lab::measure::site::Site;
use crate::lab::measure::watch::{Watch, attend};
use crate::lab::measure::workload::{FAILED, GOLDEN, SHIFT};
use crate::lab::sample::Workload;
use crate::scheme::Full;
use ::arc_swap::{ArcSwap, Cache};
use std::cell::RefCell;
use std::sync::Arc;

/// Who it is.
pub const PEER: Peer = Peer {
    name: "arc_swap_cache",
    precedent: "Rust arc-swap, Cache::load",
    gives: Gives::GracePeriod,
    nests: false,
    lacks: "as arc_swap; besides, a thread that loads no more is waited for in vain",
    optional: false,
    since: 1,
    make: Some(make),
};

fn make(peer: &'static Peer, order: &Order<'_>) -> Box<dyn Contender> {
    Box::new(Cached {
        peer,
        shared: Swapped::new(order),
        workload: order.workload,
    })
}

/// The pointer that is cached.
#[derive(Debug)]
struct Cached {
    peer: &'static Peer,
    shared: Swapped,
    workload: Workload,
}

impl Contender for Cached {
    fn name(&self) -> &'static str {
        self.peer.name
    }

    fn worker(&self) -> Result<Box<dyn Worker + '_>, Full> {
        Ok(Box::new(CachedWorker {
            site: CachedSite {
                cache: RefCell::new(Cache::new(&self.shared.current)),
                shared: &self.shared,
            },
            dependent: self.workload == Workload::Dependent,
        }))
    }

    fn holds_per_op(&self) -> Option<f64> {
        None
    }
}

type TableCache<'s> = Cache<&'s ArcSwap<P2m>, Arc<P2m>>;

struct CachedWorker<'s> {
    site: CachedSite<'s>,
    dependent: bool,
}

impl Worker for CachedWorker<'_> {
    fn batch(&mut self, n: u64) -> u64 {
        let cache = self.site.cache.get_mut();
        if self.dependent {
            dependent(cache, n)
        } else {
            hold(cache, n)
        }
    }

    fn suspend(&mut self, during: &mut dyn FnMut()) {
        self.site.suspend(during);
    }

    fn attend(&mut self, watch: &Watch, reader: usize) {
        attend(&mut self.site, watch, reader);
    }
}

/// As [`workload::hold`](crate::lab::measure::workload::hold).
#[inline(never)]
fn hold(cache: &mut TableCache<'_>, n: u64) -> u64 {
    let (mut x, mut sum) = (0u64, 0u64);
    for _ in 0..n {
        x = x.wrapping_add(GOLDEN);
        match translate(cache.load().words(), x >> SHIFT) {
            Some(mfn) => sum = sum.wrapping_add(mfn),
            None => return FAILED,
        }
    }
    sum
}

/// As [`workload::dependent`](crate::lab::measure::workload::dependent).
#[inline(never)]
fn dependent(cache: &mut TableCache<'_>, n: u64) -> u64 {
    let mut pfn = 0u64;
    for _ in 0..n {
        match translate(cache.load().words(), pfn) {
            Some(mfn) => pfn = mfn,
            None => return FAILED,
        }
    }
    pfn
}

struct CachedSite<'s> {
    cache: RefCell<TableCache<'s>>,
    shared: &'s Swapped,
}

impl Site for CachedSite<'_> {
    fn with<R>(&self, pfn: u64, used: impl FnOnce(Option<u64>) -> R) -> R {
        let mut cache = self.cache.borrow_mut();
        used(translate(cache.load().words(), pfn))
    }

    fn held<R>(&self, inner: impl FnOnce() -> R) -> R {
        inner()
    }

    fn snapshot(&self, pfn: u64) -> Option<u64> {
        self.with(pfn, |mfn| mfn)
    }

    fn suspend(&mut self, during: &mut dyn FnMut()) {
        let cache = self.cache.get_mut();
        self.shared.replace(
            || {
                cache.load();
            },
            during,
        );
    }
}
