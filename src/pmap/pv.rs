//! Who maps a page: by PFN, a list of (pmap, address), and the accessed and dirty bits of entries gone.
//!
//! A page's list has a lock of its own, so vCPUs that work on pages of their own share none. The nodes
//! lie in one table, linked by index: the first ones are the pages' own, one each, and hold a page's
//! first mapping; further ones come from a pool, in batches, through a cache that is its vCPU's own. So
//! only a page that is mapped twice costs a node.
//!
//! **Invariant**: what is on a list is mapped. An entry comes and goes under the lock of *its pmap*,
//! together with the page-table entry that it stands for, and the list changes under the lock of the
//! page, inside that. So who has locked a pmap, and then finds its entry on the list, finds the mapping.
//! Kernel mappings ([`Kernel::kenter`](super::Kernel::kenter)) are on no list.
//!
//! Cost: two locked instructions for each mapping that comes or goes, and a search of the page's list
//! for one that goes. No entry holds an MFN, so a suspend changes nothing here.
//!
//! Source: NetBSD `pmap_page`, `pp_pte`, `pmap_pv.c`: there too the first mapping is embedded.

use super::{PmapError, PmapId};
use crate::backend::{Atomic, Backend};
use crate::primitive::Ticket;
use crate::xen::{Pfn, Pte, Va};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::Ordering::Relaxed;

/// No node: the end of a list. No pmap: a page's own node is not in use.
const NONE: u32 = u32::MAX;
/// Nodes that a vCPU takes at a time.
const BATCH: usize = 8;
/// Nodes of the pool for each page of the guest, beside the page's own.
const PER_PAGE: usize = 4;
/// What a page remembers of entries that are gone.
const ATTRS: u64 = Pte::A | Pte::D;

/// A mapping of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PvEntry {
    /// Where it is mapped.
    pub pmap: PmapId,
    /// At which address; the low twelve bits are 0.
    pub va: Va,
}

#[derive(Debug)]
struct Node<B: Backend> {
    next: B::U32,
    pmap: B::U32,
    page: B::U64,
}

#[derive(Debug)]
struct Head<B: Backend> {
    /// Guards `attrs`, the page's own node, and those linked from it.
    lock: Ticket<B>,
    attrs: B::U32,
}

/// The lists.
#[derive(Debug)]
pub(super) struct Pvs<B: Backend> {
    heads: Box<[Head<B>]>,
    /// By PFN the pages' own, which begin their lists; then those of the pool.
    nodes: Box<[Node<B>]>,
    /// Guards `free`, and the links of nodes in the pool.
    pool: Ticket<B>,
    free: B::U32,
}

/// A vCPU's own free nodes.
#[derive(Debug, Default)]
pub(super) struct PvCache(Vec<u32>);

impl<B: Backend> Head<B> {
    /// An entry leaves its bits behind; the head is locked.
    fn leave(&self, old: Pte) {
        let attrs = self.attrs.load(Relaxed) | (old.0 & ATTRS) as u32;
        self.attrs.store(attrs, Relaxed);
    }
}

impl PvEntry {
    pub(super) fn new(pmap: PmapId, va: Va) -> Self {
        let va = Va::of_page(va.page());
        Self { pmap, va }
    }
}

impl<B: Backend> Pvs<B> {
    /// Empty lists for so many pages; the pool lets each vCPU keep its cache full.
    pub(super) fn new(pages: u64, vcpus: usize) -> Self {
        let pages = pages as usize;
        let nodes = pages * (1 + PER_PAGE) + 2 * BATCH * vcpus;
        let next = |at: usize| match at + 1 {
            after if at >= pages && after < nodes => after as u32,
            _ => NONE,
        };
        let node = |at| Node {
            next: B::U32::new(next(at)),
            pmap: B::U32::new(NONE),
            page: B::U64::new(0),
        };
        let head = |_| Head {
            lock: Ticket::default(),
            attrs: B::U32::new(0),
        };
        Self {
            heads: (0..pages).map(head).collect(),
            nodes: (0..nodes).map(node).collect(),
            pool: Ticket::default(),
            free: B::U32::new(pages as u32),
        }
    }

    /// Makes sure that the next `count` insertions find a node.
    pub(super) fn reserve(&self, cache: &mut PvCache, count: usize) -> Result<(), PmapError> {
        if cache.0.len() >= count {
            return Ok(());
        }
        self.refill(cache, count + BATCH);
        if cache.0.len() < count {
            return Err(PmapError::NoPvs);
        }
        Ok(())
    }

    #[cold]
    fn refill(&self, cache: &mut PvCache, count: usize) {
        let _locked = self.pool.lock();
        let mut first = self.free.load(Relaxed);
        while cache.0.len() < count && first != NONE {
            cache.0.push(first);
            first = self.nodes[first as usize].next.load(Relaxed);
        }
        self.free.store(first, Relaxed);
    }

    /// Gives all but `keep` of a cache's nodes back.
    #[cold]
    pub(super) fn spill(&self, cache: &mut PvCache, keep: usize) {
        let _locked = self.pool.lock();
        for node in cache.0.drain(keep.min(cache.0.len())..) {
            let first = self.free.load(Relaxed);
            self.nodes[node as usize].next.store(first, Relaxed);
            self.free.store(node, Relaxed);
        }
    }

    /// A page is mapped, its pmap being locked and a node reserved. One that is no page of the guest's
    /// (a control's entries may name such) is not listed.
    pub(super) fn insert(&self, cache: &mut PvCache, page: Pfn, at: PvEntry) {
        let Some(head) = self.heads.get(page.0 as usize) else {
            return;
        };
        let _locked = head.lock.lock();
        let own = &self.nodes[page.0 as usize];
        let node = if own.pmap.load(Relaxed) == NONE {
            own
        } else {
            let Some(taken) = cache.0.pop() else { return };
            let node = &self.nodes[taken as usize];
            node.next.store(own.next.load(Relaxed), Relaxed);
            own.next.store(taken, Relaxed);
            node
        };
        node.pmap.store(at.pmap.0, Relaxed);
        node.page.store(at.va.page(), Relaxed);
    }

    /// A page is mapped there no more, its pmap being locked; `old` is the entry that was. Returns
    /// whether it was listed.
    pub(super) fn remove(&self, cache: &mut PvCache, page: Pfn, at: PvEntry, old: Pte) -> bool {
        let Some(head) = self.heads.get(page.0 as usize) else {
            return false;
        };
        let locked = head.lock.lock();
        let mut before = None;
        let found = self.chain(page).find(|node| {
            let found = self.entry(*node) == Some(at);
            if !found {
                before = Some(*node);
            }
            found
        });
        let Some(found) = found else { return false };
        head.leave(old);
        let node = &self.nodes[found as usize];
        node.pmap.store(NONE, Relaxed);
        if let Some(before) = before {
            let next = node.next.load(Relaxed);
            self.nodes[before as usize].next.store(next, Relaxed);
        }
        drop(locked);
        if before.is_some() {
            cache.0.push(found);
            if cache.0.len() > 4 * BATCH {
                self.spill(cache, BATCH);
            }
        }
        true
    }

    /// Whether a mapping is listed.
    pub(super) fn contains(&self, page: Pfn, at: PvEntry) -> bool {
        let Some(head) = self.heads.get(page.0 as usize) else {
            return false;
        };
        let _locked = head.lock.lock();
        self.listed(page).any(|entry| entry == at)
    }

    /// The mappings of a page, as they are now.
    pub(super) fn entries(&self, page: Pfn) -> Vec<PvEntry> {
        let Some(head) = self.heads.get(page.0 as usize) else {
            return Vec::new();
        };
        let _locked = head.lock.lock();
        self.listed(page).collect()
    }

    /// An entry of a page's was overwritten by one that maps it again.
    pub(super) fn leave_attrs(&self, page: Pfn, old: Pte) {
        // Every new entry is born accessed: only the other bit can be lost.
        if let Some(head) = self
            .heads
            .get(page.0 as usize)
            .filter(|_| old.0 & Pte::D != 0)
        {
            let _locked = head.lock.lock();
            head.leave(old);
        }
    }

    /// Takes those of `bits` that gone entries left, and returns them.
    pub(super) fn take_attrs(&self, page: Pfn, bits: u64) -> u64 {
        let Some(head) = self.heads.get(page.0 as usize) else {
            return 0;
        };
        let _locked = head.lock.lock();
        let attrs = head.attrs.load(Relaxed);
        head.attrs.store(attrs & !(bits as u32), Relaxed);
        u64::from(attrs) & bits
    }

    /// Which of `bits` gone entries left.
    pub(super) fn attrs(&self, page: Pfn, bits: u64) -> u64 {
        let head = self.heads.get(page.0 as usize);
        head.map_or(0, |head| u64::from(head.attrs.load(Relaxed)) & bits)
    }

    /// A page is somebody's anew: nobody has touched it. It is on no list.
    pub(super) fn renew(&self, page: Pfn) {
        self.heads[page.0 as usize].attrs.store(0, Relaxed);
    }

    /// What a locked page's list says.
    fn listed(&self, page: Pfn) -> impl Iterator<Item = PvEntry> {
        self.chain(page).filter_map(|node| self.entry(node))
    }

    /// The nodes of a locked page's list: its own first, in use or not.
    fn chain(&self, page: Pfn) -> impl Iterator<Item = u32> {
        core::iter::successors(Some(page.0 as u32), |node| {
            let next = self.nodes[*node as usize].next.load(Relaxed);
            (next != NONE).then_some(next)
        })
    }

    fn entry(&self, node: u32) -> Option<PvEntry> {
        let node = &self.nodes[node as usize];
        let pmap = node.pmap.load(Relaxed);
        (pmap != NONE).then(|| PvEntry {
            pmap: PmapId(pmap),
            va: Va::of_page(node.page.load(Relaxed)),
        })
    }
}
