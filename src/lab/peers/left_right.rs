//! `left_right`: a peer, two copies of the data and a parity a reader.
//!
//! A reader raises its own epoch, reads the copy that is current and raises it again. A publication
//! waits for the readers of the one before, and then makes the other copy current. So the suspender
//! publishes twice: when the second has gone through, nobody reads the copy that was current before
//! the first. It asks rather than waits (`try_publish`), so that it can give up.

use super::kit::{Protection, contender, wait};
use super::{Gives, Order, Peer};
use crate::lab::measure::p2m::{P2m, translate};
use crate::lab::measure::site::Site;
use ::left_right::{Absorb, ReadHandle, ReadHandleFactory, WriteHandle};
use std::fmt;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, PoisonError};

/// Who it is.
pub const PEER: Peer = Peer {
    name: "left_right",
    precedent: "Rust left-right, ReadHandle::enter",
    gives: Gives::GracePeriod,
    nests: true,
    lacks: "two copies of the data; a publication waits for the readers of the one before",
    optional: false,
    since: 1,
    make: Some(contender::<LeftRight>),
};

/// What is published: that an entry is what it is, as after a cancelled suspend.
#[derive(Clone, Copy, Debug)]
struct Entry {
    pfn: usize,
    mfn: u64,
}

impl Absorb<Entry> for P2m {
    fn absorb_first(&mut self, entry: &mut Entry, _: &Self) {
        self.words()[entry.pfn].store(entry.mfn, Relaxed);
    }

    fn sync_with(&mut self, first: &Self) {
        self.clone_from(first);
    }
}

/// The writing half, and what makes reading halves.
pub struct LeftRight {
    writer: Mutex<WriteHandle<P2m, Entry>>,
    readers: ReadHandleFactory<P2m>,
}

impl fmt::Debug for LeftRight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LeftRight")
    }
}

impl Protection for LeftRight {
    type Site<'s> = LeftRightSite<'s>;

    fn new(order: &Order<'_>) -> Self {
        let (mut writer, reader) = ::left_right::new_from_empty(P2m::clone(order.table));
        // Readers see nothing before the first publication.
        writer.publish();
        Self {
            writer: Mutex::new(writer),
            readers: reader.factory(),
        }
    }

    fn site(&self) -> LeftRightSite<'_> {
        LeftRightSite {
            reader: self.readers.handle(),
            shared: self,
        }
    }
}

/// A reading half.
#[derive(Debug)]
pub struct LeftRightSite<'s> {
    reader: ReadHandle<P2m>,
    shared: &'s LeftRight,
}

impl Site for LeftRightSite<'_> {
    #[inline]
    fn with<R>(&self, pfn: u64, used: impl FnOnce(Option<u64>) -> R) -> R {
        let table = self.reader.enter();
        // There is none once the writing half is gone, which is as old as the readers.
        used(
            table
                .as_ref()
                .and_then(|table| translate(table.words(), pfn)),
        )
    }

    #[inline]
    fn held<R>(&self, inner: impl FnOnce() -> R) -> R {
        let _table = self.reader.enter();
        inner()
    }

    #[inline]
    fn snapshot(&self, pfn: u64) -> Option<u64> {
        self.with(pfn, |mfn| mfn)
    }

    fn suspend(&mut self, during: &mut dyn FnMut()) {
        let writer = &self.shared.writer;
        let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mfn) = self.with(0, |mfn| mfn) {
            writer.append(Entry { pfn: 0, mfn });
        }
        if wait(|| writer.try_publish()) && wait(|| writer.try_publish()) {
            during();
        }
    }
}
