//! Log-dirty mode: which pages were written since somebody last asked.
//!
//! A bit a PFN. Whoever writes a frame, in the guest or in Xen, marks the PFN that the **M2P** names at
//! that moment, after the write: who takes a bit then reads what it was set for. A frame that has no
//! PFN yet, as after `XENMEM_increase_reservation`, is written unseen; `MMU_MACHPHYS_UPDATE`, which
//! gives it one, marks that.
//!
//! What is a write: stores, updates of entries, the accessed and dirty bits that the processor sets, and
//! a page table's becoming one, its ceasing to be one, its pin and its unpin, since the page's type goes
//! over the wire with it.
//!
//! While it is off it costs one relaxed load a write.
//!
//! Source: `paging_mark_dirty` and its callers in `xen/arch/x86/mm.c`.

use super::host::Host;
use super::number::{Pfn, RawMfn};
use crate::backend::{Atomic, Backend};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

const BITS: u64 = u64::BITS as u64;

/// The bitmap that Xen keeps of a guest.
#[derive(Debug)]
pub(super) struct DirtyLog<B: Backend> {
    /// Not 0 while writes are logged. Written while the guest is paused.
    on: B::U32,
    words: Box<[B::U64]>,
}

impl<B: Backend> DirtyLog<B> {
    /// For PFNs below `most`: off.
    pub(super) fn new(most: usize) -> Self {
        let words = most.div_ceil(BITS as usize);
        Self {
            on: B::U32::new(0),
            words: (0..words).map(|_| B::U64::new(0)).collect(),
        }
    }

    /// Logs from here on, or no more; returns whether it did so far. Nothing is dirty then, unless it is
    /// as it was. The guest is paused, or what it writes at this moment is lost.
    pub(super) fn switch(&self, on: bool) -> bool {
        let before = self.on.swap(on.into(), Relaxed) != 0;
        if before != on {
            self.words.iter().for_each(|word| word.store(0, Relaxed));
        }
        before
    }

    #[inline]
    pub(super) fn is_on(&self) -> bool {
        self.on.load(Relaxed) != 0
    }

    /// Marks a PFN, if there is such a one.
    pub(super) fn mark(&self, pfn: Pfn) {
        if let Some(word) = self.words.get((pfn.0 / BITS) as usize) {
            // Set even if it is: a bit that was seen set may be taken before our write is seen.
            // ORDERING: Release pairs with the Acquire in `clean`: who takes the bit sees the write.
            word.fetch_or(1 << (pfn.0 % BITS), Release);
        }
    }

    /// What was written since the last call, below `pages`: `XEN_DOMCTL_SHADOW_OP_CLEAN`.
    pub(super) fn clean(&self, pages: u64) -> PfnSet {
        let words = self.words.iter().take(pages.div_ceil(BITS) as usize);
        // ORDERING: Acquire pairs with the Release in `mark`; see there.
        let taken = words.map(|word| word.swap(0, Acquire));
        PfnSet(taken.collect())
    }
}

impl<B: Backend> Host<B> {
    /// A frame was written: its PFN is dirty.
    #[inline]
    pub(super) fn wrote(&self, mfn: RawMfn) {
        if self.dirty.is_on() {
            self.log(mfn);
        }
    }

    #[cold]
    fn log(&self, mfn: RawMfn) {
        if let Some(pfn) = self.m2p(mfn) {
            self.dirty.mark(pfn);
        }
    }
}

/// A set of PFNs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PfnSet(Vec<u64>);

impl PfnSet {
    /// All PFNs below `pages`.
    pub(super) fn all(pages: u64) -> Self {
        let mut set = Self::default();
        (0..pages).for_each(|pfn| set.insert(Pfn(pfn)));
        set
    }

    pub(super) fn insert(&mut self, pfn: Pfn) {
        let word = (pfn.0 / BITS) as usize;
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (pfn.0 % BITS);
    }

    /// Adds another's.
    pub(super) fn extend(&mut self, other: &PfnSet) {
        other.iter().for_each(|pfn| self.insert(pfn));
    }

    pub(super) fn len(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// In ascending order.
    pub(super) fn iter(&self) -> impl Iterator<Item = Pfn> {
        let words = self.0.iter().zip((0..).step_by(BITS as usize));
        words.flat_map(|(word, first)| {
            let set = (0..BITS).filter(move |bit| word & 1 << bit != 0);
            set.map(move |bit| Pfn(first + bit))
        })
    }
}
