//! MFNs that drivers keep: in a ring that a backend reads, or in a variable of the heap.
//!
//! A driver tells the other side about a page once, by its MFN, and keeps the number. No hold lasts so
//! long, and no tool knows the variable, so the number is true for one incarnation only. Hence each has
//! to be known to the suspend, which **makes it a PFN before and an MFN again after**, as it does with
//! the rings that start_info names; after a cancelled suspend too.
//!
//! A word is written by its driver in a hold, and by the suspender while there is none.
//!
//! Source: NetBSD `xbd_xenbus_resume`, `xennet_xenbus_resume`: rings are granted anew; Linux keeps PFNs
//! where it can (`pte_mfn_to_pfn`).

use crate::backend::{Atomic, Backend};
use crate::xen::{Access, Pfn, RawMfn};
use alloc::boxed::Box;
use core::sync::atomic::Ordering::Relaxed;

/// Nothing is kept.
const NONE: u64 = u64::MAX;

/// Frame numbers at rest, by place. Those of [`Kernel::drivers`](super::Kernel::drivers) are known to
/// the suspend; any others are as good as lost when it comes.
#[derive(Debug)]
pub struct KeptMfns<B: Backend> {
    words: Box<[B::U64]>,
}

impl<B: Backend> KeptMfns<B> {
    /// Room for so many, all empty.
    pub fn new(places: usize) -> Self {
        Self {
            words: (0..places).map(|_| B::U64::new(NONE)).collect(),
        }
    }

    /// Keeps a page's MFN; one that has no frame empties the place. One translation and one store.
    ///
    /// # Panics
    /// If there is no such place.
    pub fn keep(&self, access: Access<'_, B>, place: usize, page: Pfn) {
        let mfn = access.mfn(page).map_or(NONE, |mfn| mfn.raw().0);
        self.words[place].store(mfn, Relaxed);
    }

    /// Empties a place.
    ///
    /// # Panics
    /// If there is no such place.
    pub fn forget(&self, place: usize) {
        self.words[place].store(NONE, Relaxed);
    }

    /// What is kept, if anything. Nothing keeps it true.
    ///
    /// # Panics
    /// If there is no such place.
    pub fn kept(&self, place: usize) -> Option<RawMfn> {
        let word = self.words[place].load(Relaxed);
        (word != NONE).then_some(RawMfn(word))
    }

    /// MFNs become PFNs, by the M2P; one that is nobody's is dropped.
    pub(super) fn canonicalise(&self, access: Access<'_, B>) {
        self.each(|mfn| access.guest().host().m2p(RawMfn(mfn)).map(|pfn| pfn.0));
    }

    /// PFNs become MFNs, by the P2M.
    pub(super) fn localise(&self, access: Access<'_, B>) {
        self.each(|pfn| access.mfn(Pfn(pfn)).map(|mfn| mfn.raw().0));
    }

    fn each(&self, to: impl Fn(u64) -> Option<u64>) {
        for word in &self.words {
            let kept = word.load(Relaxed);
            if kept != NONE {
                word.store(to(kept).unwrap_or(NONE), Relaxed);
            }
        }
    }
}
