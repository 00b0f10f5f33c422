//! The guest's free pages, by PFN: a list round the guest, and a cache a vCPU.
//!
//! A vCPU takes and gives pages in batches, so that the common lock is rarely seen, as in UVM. PFNs
//! survive a suspend, so none of this needs a hold.

use super::nodes::PvCache;
use super::{PmapError, PmapId};
use crate::backend::{Atomic, Backend};
use crate::primitive::Ticket;
use crate::xen::Pfn;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::Ordering::Relaxed;

const BATCH: usize = 64;
const NONE: u64 = u64::MAX;
/// No pmap's root.
const NOBODY: u32 = u32::MAX;

/// The list of free pages. Its words are accessed under `lock`.
#[derive(Debug)]
pub(super) struct Pages<B: Backend> {
    lock: Ticket<B>,
    first: B::U64,
    /// By PFN: the next free one.
    next: Box<[B::U64]>,
    /// By PFN, of a page table: its entries in use. Written under its pmap's lock.
    entries: Box<[B::U32]>,
    /// By PFN, of a root: whose it is. Written while its pmap is on no list.
    owner: Box<[B::U32]>,
}

/// A vCPU's own free pages, list nodes for those that are mapped twice, and constructed roots. Give them
/// back with [`Kernel::drain`](super::Kernel::drain).
#[derive(Debug, Default)]
pub struct PageCache {
    pages: Vec<Pfn>,
    pub(super) pvs: PvCache,
    /// Its magazine of the cache of roots.
    pub(super) roots: Vec<Pfn>,
}

impl<B: Backend> Pages<B> {
    /// All pages of `free` are free.
    pub(super) fn new(free: Range<u64>) -> Self {
        let next = |pfn| match pfn + 1 {
            after if after < free.end => after,
            _ => NONE,
        };
        Self {
            lock: Ticket::default(),
            first: B::U64::new(free.start),
            next: (0..free.end).map(|pfn| B::U64::new(next(pfn))).collect(),
            entries: (0..free.end).map(|_| B::U32::new(0)).collect(),
            owner: (0..free.end).map(|_| B::U32::new(NOBODY)).collect(),
        }
    }

    /// Takes a page, from the cache if it has one.
    pub(super) fn take(&self, cache: &mut PageCache) -> Result<Pfn, PmapError> {
        if cache.pages.is_empty() {
            self.refill(cache);
        }
        cache.pages.pop().ok_or(PmapError::NoPages)
    }

    #[cold]
    fn refill(&self, cache: &mut PageCache) {
        let _locked = self.lock.lock();
        let mut first = self.first.load(Relaxed);
        while cache.pages.len() < BATCH && first != NONE {
            cache.pages.push(Pfn(first));
            first = self.next[first as usize].load(Relaxed);
        }
        self.first.store(first, Relaxed);
    }

    /// Gives a page back, to the cache until that has too many.
    pub(super) fn give(&self, cache: &mut PageCache, page: Pfn) {
        cache.pages.push(page);
        if cache.pages.len() > 2 * BATCH {
            self.spill(cache, BATCH);
        }
    }

    /// Gives all but `keep` of a cache's pages back to the list.
    #[cold]
    pub(super) fn spill(&self, cache: &mut PageCache, keep: usize) {
        let _locked = self.lock.lock();
        for page in cache.pages.drain(keep.min(cache.pages.len())..) {
            self.next[page.0 as usize].store(self.first.load(Relaxed), Relaxed);
            self.first.store(page.0, Relaxed);
        }
    }

    /// A page becomes a pmap's root, or nobody's.
    pub(super) fn own(&self, root: Pfn, pmap: Option<PmapId>) {
        let owner = pmap.map_or(NOBODY, |pmap| pmap.0);
        self.owner[root.0 as usize].store(owner, Relaxed);
    }

    /// Whose root a page is.
    pub(super) fn owner(&self, root: Pfn) -> Option<PmapId> {
        let owner = self.owner[root.0 as usize].load(Relaxed);
        (owner != NOBODY).then_some(PmapId(owner))
    }

    /// A page becomes an empty page table.
    pub(super) fn entries_reset(&self, table: Pfn) {
        self.entries[table.0 as usize].store(0, Relaxed);
    }

    /// Entries of a page table came or went; returns how many there are now.
    pub(super) fn entries_add(&self, table: Pfn, by: i32) -> u32 {
        let Some(count) = self.entries.get(table.0 as usize) else {
            return 1;
        };
        let now = count.load(Relaxed).saturating_add_signed(by);
        count.store(now, Relaxed);
        now
    }
}
