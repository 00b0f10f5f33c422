//! The cache of constructed roots (`pmap_pdp_cache`): pinned, and kept for the next process.
//!
//! A root is **constructed** once: zeroed, pinned, its recursive and its kernel slot set. A process that
//! ends leaves it so, and the next one begins with it, without a hypercall. A vCPU has some in its
//! magazine (in its [`PageCache`], where no other looks), the rest are in a depot behind a lock.
//!
//! A cached root is a page table like any other to Xen and to the tools, but on no list of live pmaps:
//! whatever a save must empty in roots, a walk of that list misses here. NetBSD destroyed the cached
//! ones before a save, but for those in the CPUs' magazines, which it could not reach.
//!
//! **Here the suspender need not look into magazines.** Every constructed root is on one more list, from
//! the hold in which it is pinned to the hold in which it is unpinned, wherever it is meanwhile: cached,
//! live, or between two lists because its process is just being made or ended. Nobody is in such a hold
//! while the suspender is alone, so it finds all of them there. That costs a lock round when a root is
//! constructed, and nothing when one is taken from the cache.
//!
//! The locks of list and depot are leaves: taken in a hold, inside a pmap's lock if need be, and nothing is
//! taken inside them.
//!
//! **Invariant**: a root is on that list if and only if it is pinned, seen from outside a hold.
//!
//! Source: NetBSD `pmap_pdp_ctor`, `pmap_pdp_cache` and its comment on per-CPU caches, xen_pmap.c;
//! pool_cache(9) for magazines and depot.

use super::PmapError;
use super::kernel::Kernel;
use super::list::{Links, List};
use super::pages::PageCache;
use super::stack::Stack;
use crate::backend::Backend;
use crate::primitive::Ticket;
use crate::xen::{Access, Mmu, Pfn};
use alloc::boxed::Box;

/// Roots that a vCPU's magazine holds; half of them go to the depot, or come from it, at once.
const MAGAZINE: usize = 8;

/// What a cached root has in its slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cached {
    /// Its recursive slot names itself, its alternate slot is empty. The tools carry that as it is, so
    /// a save need not visit it: see `docs/recursive-slot.md`.
    #[default]
    SelfEntry,
    /// Its recursive slot holds its MFN, but is not present (NetBSD's constructor on amd64); creating a
    /// pmap computes the root's PFN from that, and makes it present. The tools translate present entries
    /// only: after a save the slot holds an MFN of the past, unless it was emptied before.
    NotPresent,
    /// Its alternate slot is as the last process left it: with
    /// [`Alternate::Lazy`](super::Alternate::Lazy), set. The restore fails on it, unless it was emptied
    /// before. (And a pmap that it names must not be destroyed: nobody would find the slot.)
    Window,
}

/// The cache, and the list of all that was constructed.
#[derive(Debug)]
pub(super) struct PdpCache<B: Backend> {
    pub(super) slots: Cached,
    depot: Stack<B>,
    lock: Ticket<B>,
    /// Accessed under `lock`.
    constructed: List<B>,
    /// By PFN, of a constructed root. Accessed under `lock`.
    links: Box<[Links<B>]>,
}

impl<B: Backend> PdpCache<B> {
    /// An empty one, for PFNs below `pages`.
    pub(super) fn new(pages: u64) -> Self {
        Self {
            slots: Cached::default(),
            depot: Stack::new(pages),
            lock: Ticket::default(),
            constructed: List::default(),
            links: (0..pages).map(|_| Links::default()).collect(),
        }
    }

    /// Takes a constructed root, from the magazine if it has one.
    fn take(&self, cache: &mut PageCache) -> Option<Pfn> {
        if cache.roots.is_empty() {
            cache.roots = self.depot.pop(MAGAZINE / 2);
        }
        cache.roots.pop()
    }

    /// Gives one back, to the magazine until that is full.
    pub(super) fn give(&self, cache: &mut PageCache, root: Pfn) {
        cache.roots.push(root);
        if cache.roots.len() > MAGAZINE {
            self.spill(cache, MAGAZINE / 2);
        }
    }

    /// Gives all but `keep` of a magazine's roots to the depot.
    pub(super) fn spill(&self, cache: &mut PageCache, keep: usize) {
        self.depot
            .push(cache.roots.drain(keep.min(cache.roots.len())..));
    }

    /// A root is pinned now.
    pub(super) fn enlist(&self, root: Pfn) {
        let _locked = self.lock.lock();
        self.constructed
            .push(root.0 as u32, |pfn| &self.links[pfn as usize]);
    }

    /// A root is pinned no more.
    fn strike(&self, root: Pfn) {
        let _locked = self.lock.lock();
        self.constructed
            .unlink(root.0 as u32, |pfn| &self.links[pfn as usize]);
    }
}

impl<B: Backend> Kernel<B> {
    /// Has this kernel leave cached roots like that. To be called before it has pmaps.
    ///
    /// # Panics
    /// [`Cached::NotPresent`] is amd64's: it finds a root by its slot, which elsewhere names no root.
    pub fn cache_roots(&mut self, slots: Cached) {
        let found = slots != Cached::NotPresent || self.layout.pages == 1;
        assert!(found, "a slot names a root on amd64 only: keep `SelfEntry`");
        self.pdp_cache.slots = slots;
    }

    /// Calls `visit` with every constructed root: those of live pmaps, of vCPUs' own, and cached ones in
    /// the depot and in all magazines. The list's lock is held. The kernel's own root is none.
    pub fn each_constructed(&self, visit: impl FnMut(Pfn)) {
        let cache = &self.pdp_cache;
        let _locked = cache.lock.lock();
        cache
            .constructed
            .iter(|pfn| &cache.links[pfn as usize])
            .map(|pfn| Pfn(pfn.into()))
            .for_each(visit);
    }

    /// Unpins the roots in the depot and in this vCPU's magazine, and gives their pages back
    /// (`pool_cache_invalidate`); returns how many. One hold, one hypercall a root.
    ///
    /// A kernel does that when pages run short; so does this one, when none is left for a page table.
    ///
    /// # Errors
    /// Xen's: that root is lost, the others wait in the depot.
    pub fn reap(&self, mmu: &impl Mmu<B>, cache: &mut PageCache) -> Result<u64, PmapError> {
        let hold = mmu.hold();
        self.reap_in(hold.access(), cache)
    }

    fn reap_in(&self, access: Access<'_, B>, cache: &mut PageCache) -> Result<u64, PmapError> {
        self.pdp_cache.spill(cache, 0);
        let mut reaped = 0;
        while let [root] = self.pdp_cache.depot.pop(1)[..] {
            self.pdp_cache.strike(root);
            let pages = self.pages_of(access, root);
            access.unpin(access.mfn(root).ok_or(PmapError::Nothing)?)?;
            for page in pages {
                access.zero(page);
                self.pages.give(cache, page);
            }
            reaped += 1;
        }
        Ok(reaped)
    }

    /// Takes a page for a page table; if none is free, of a cached root.
    pub(super) fn take_for_table(
        &self,
        access: Access<'_, B>,
        cache: &mut PageCache,
    ) -> Result<Pfn, PmapError> {
        match self.pages.take(cache) {
            Err(PmapError::NoPages) if self.reap_in(access, cache)? > 0 => self.pages.take(cache),
            taken => taken,
        }
    }

    /// A root with its recursive and its kernel slot set, from the cache or constructed now.
    pub(super) fn take_root(
        &self,
        mmu: &impl Mmu<B>,
        access: Access<'_, B>,
        cache: &mut PageCache,
    ) -> Result<Pfn, PmapError> {
        let Some(root) = self.pdp_cache.take(cache) else {
            return self.construct(mmu, access, cache);
        };
        if self.pdp_cache.slots != Cached::NotPresent {
            return Ok(root);
        }
        let entered = self.enter_itself(mmu, access, root);
        if entered.is_err() {
            self.pdp_cache.give(cache, root);
        }
        entered
    }
}
