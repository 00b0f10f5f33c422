//! `one_xchg`: a control, one bare atomic exchange an operation.
//!
//! Each operation exchanges a word on a line of the thread's own, which is one locked instruction on
//! x86-64 (`xchg`), then reads. There is no gate, nothing is undone after the read, and nobody is excluded: it
//! is what a reader that is ordered by one such instruction cannot get below.

use super::kit::{Protection, contender};
use super::{Gives, Order, Peer};
use crate::lab::measure::p2m::{P2m, translate};
use crate::lab::measure::site::Site;
use crate::primitive::Padded;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// Who it is.
pub const PEER: Peer = Peer {
    name: "one_xchg",
    precedent: "one exchange on a line of the thread's own, then an unprotected read",
    gives: Gives::Nothing,
    nests: true,
    lacks: "all: it shows what one locked instruction costs",
    optional: false,
    since: 3,
    make: Some(contender::<OneXchg>),
};

/// The table; there is nothing to share.
#[derive(Debug)]
pub struct OneXchg(P2m);

impl Protection for OneXchg {
    type Site<'s> = OneXchgSite<'s>;

    fn new(order: &Order<'_>) -> Self {
        Self(P2m::clone(order.table))
    }

    fn site(&self) -> OneXchgSite<'_> {
        OneXchgSite {
            own: Padded::default(),
            table: &self.0,
        }
    }
}

/// A thread's part: its word, and the table.
#[derive(Debug)]
pub struct OneXchgSite<'s> {
    own: Padded<AtomicU64>,
    table: &'s P2m,
}

impl OneXchgSite<'_> {
    #[inline]
    fn exchange(&self, value: u64) {
        // ORDERING: SeqCst pairs with nothing, since nobody else has the word. A weaker exchange whose result is
        // not used may be compiled to a plain store, and then there would be nothing to time.
        self.own.0.swap(value, SeqCst);
    }
}

impl Site for OneXchgSite<'_> {
    #[inline]
    fn with<R>(&self, pfn: u64, used: impl FnOnce(Option<u64>) -> R) -> R {
        self.exchange(1);
        used(translate(self.table.words(), pfn))
    }

    #[inline]
    fn held<R>(&self, inner: impl FnOnce() -> R) -> R {
        self.exchange(1);
        inner()
    }

    #[inline]
    fn snapshot(&self, pfn: u64) -> Option<u64> {
        self.with(pfn, |mfn| mfn)
    }

    fn suspend(&mut self, during: &mut dyn FnMut()) {
        during();
    }
}
