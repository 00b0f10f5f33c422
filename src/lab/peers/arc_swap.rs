//! `arc_swap`: a peer, a shared pointer that is replaced.
//!
//! A reader's guard keeps the table that it loaded alive, by a debt which the suspender pays when it
//! swaps: from then on the old table's reference count is the truth. The library waits for nobody,
//! so the suspender looks at the count until it alone has the old table. Readers that come meanwhile
//! load the new one.

use super::kit::{Protection, contender, wait};
use super::{Gives, Order, Peer};
use crate::lab::measure::p2m::{P2m, translate};
use crate::lab::measure::site::Site;
use ::arc_swap::ArcSwap;
use std::sync::{Arc, Mutex, PoisonError};

/// Who it is.
pub const PEER: Peer = Peer {
    name: "arc_swap",
    precedent: "Rust arc-swap, ArcSwap::load",
    gives: Gives::GracePeriod,
    nests: true,
    lacks: "waits for nobody: the old table's reference count is polled",
    optional: false,
    since: 1,
    make: Some(contender::<Swapped>),
};

/// The pointer, and the table that it had before.
#[derive(Debug)]
pub struct Swapped {
    pub(super) current: ArcSwap<P2m>,
    /// Held while one suspends.
    spare: Mutex<Arc<P2m>>,
}

impl Swapped {
    /// Makes the spare table current, lets the suspender's own thread know by `swapped`, waits until
    /// nobody has the old one, and says whether that is so.
    pub(super) fn replace(&self, swapped: impl FnOnce(), during: &mut dyn FnMut()) {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        *spare = self.current.swap(Arc::clone(&spare));
        swapped();
        if wait(|| Arc::get_mut(&mut spare).is_some()) {
            during();
        }
    }
}

impl Protection for Swapped {
    type Site<'s> = SwappedSite<'s>;

    fn new(order: &Order<'_>) -> Self {
        let copy = || Arc::new(P2m::clone(order.table));
        Self {
            current: ArcSwap::new(copy()),
            spare: Mutex::new(copy()),
        }
    }

    fn site(&self) -> SwappedSite<'_> {
        SwappedSite(self)
    }
}

/// A thread's part; there is nothing to register.
#[derive(Debug)]
pub struct SwappedSite<'s>(&'s Swapped);

impl Site for SwappedSite<'_> {
    #[inline]
    fn with<R>(&self, pfn: u64, used: impl FnOnce(Option<u64>) -> R) -> R {
        let table = self.0.current.load();
        used(translate(table.words(), pfn))
    }

    #[inline]
    fn held<R>(&self, inner: impl FnOnce() -> R) -> R {
        let _table = self.0.current.load();
        inner()
    }

    #[inline]
    fn snapshot(&self, pfn: u64) -> Option<u64> {
        self.with(pfn, |mfn| mfn)
    }

    fn suspend(&mut self, during: &mut dyn FnMut()) {
        self.0.replace(|| (), during);
    }
}
