//! Who maps a page: by PFN, a list of (pmap, address), and the accessed and dirty bits of entries gone.
//!
//! A page's list has a lock of its own, so vCPUs that work on pages of their own share none. It begins
//! with the page's own node, which holds its first mapping; only a page that is mapped twice takes
//! nodes from the pool ([`Nodes`]).
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

use super::PmapId;
use super::nodes::{NodeId, Nodes, PvCache};
use crate::backend::{Atomic, Backend};
use crate::primitive::Ticket;
use crate::xen::{Pfn, Pte, Va};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::Ordering::Relaxed;

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
struct Head<B: Backend> {
    /// Guards `attrs`, the page's own node, and those linked from it.
    lock: Ticket<B>,
    attrs: B::U32,
}

/// The lists.
#[derive(Debug)]
pub(super) struct Pvs<B: Backend> {
    heads: Box<[Head<B>]>,
    pub(super) nodes: Nodes<B>,
}

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
    /// Empty lists for so many pages.
    pub(super) fn new(pages: u64, vcpus: usize) -> Self {
        let head = |_| Head {
            lock: Ticket::default(),
            attrs: B::U32::new(0),
        };
        Self {
            heads: (0..pages).map(head).collect(),
            nodes: Nodes::new(pages as usize, vcpus),
        }
    }

    /// A page is mapped, its pmap being locked and a node reserved. One that is no page of the guest's
    /// (a control's entries may name such) is not listed.
    pub(super) fn insert(&self, cache: &mut PvCache, page: Pfn, at: PvEntry) {
        let Some(head) = self.heads.get(page.0 as usize) else {
            return;
        };
        let _locked = head.lock.lock();
        let nodes = &self.nodes;
        let own = nodes.own(page);
        if nodes.entry(own).is_none() {
            return nodes.set(own, Some(at));
        }
        if let Some(node) = nodes.take(cache) {
            nodes.set(node, Some(at));
            nodes.link(own, node);
        }
    }

    /// A page is mapped there no more, its pmap being locked; `old` is the entry that was. Returns
    /// whether it was listed.
    pub(super) fn remove(&self, cache: &mut PvCache, page: Pfn, at: PvEntry, old: Pte) -> bool {
        let Some(head) = self.heads.get(page.0 as usize) else {
            return false;
        };
        let locked = head.lock.lock();
        let nodes = &self.nodes;
        let mut before = None;
        for node in self.chain(page) {
            if nodes.entry(node) != Some(at) {
                before = Some(node);
                continue;
            }
            head.leave(old);
            nodes.set(node, None);
            // A page's own stays where it is.
            if let Some(before) = before {
                nodes.unlink(before, node);
                drop(locked);
                nodes.give(cache, node);
            }
            return true;
        }
        false
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
        self.chain(page).filter_map(|node| self.nodes.entry(node))
    }

    /// The nodes of a locked page's list: its own first, in use or not.
    fn chain(&self, page: Pfn) -> impl Iterator<Item = NodeId> {
        let own = self.nodes.own(page);
        core::iter::successors(Some(own), |node| self.nodes.next(*node))
    }
}
