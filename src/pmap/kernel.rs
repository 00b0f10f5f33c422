//! The kernel that owns the pmaps: the table of them, the list of live ones, and its own half.
//!
//! A pmap's root is written when it is created and does not change until it is destroyed
//! ("read-only after create"), which is what lets the suspend visit all pmaps by the list, without
//! their locks.

use super::pages::{PageCache, Pages};
use super::{KERNEL_SLOT, PmapError};
use crate::backend::{Atomic, Backend};
use crate::primitive::{Padded, Ticket, TicketGuard};
use crate::xen::{Access, Guest, Mmu, NewPte, Pfn, Pte, Va};
use alloc::boxed::Box;
use core::sync::atomic::Ordering::Relaxed;

/// A pmap, by its place in the kernel's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PmapId(pub(super) u32);

/// No pmap: the end of a list.
const NONE: u32 = u32::MAX;

#[derive(Debug)]
pub(super) struct Pmap<B: Backend> {
    /// `pm_lock`: guards the tables below the root.
    lock: Ticket<B>,
    /// The PFN of the root; written while the pmap is on no list.
    root: B::U64,
    /// The next and the previous pmap of the list it is on; under the list's lock.
    next: B::U32,
    prev: B::U32,
}

/// The kernel: its pmaps and its pages.
#[derive(Debug)]
pub struct Kernel<B: Backend> {
    pmaps: Box<[Padded<Pmap<B>>]>,
    /// `pmaps_lock`: guards both lists.
    list_lock: Ticket<B>,
    live: B::U32,
    free: B::U32,
    pub(super) pages: Pages<B>,
    /// The kernel's own root, which is on no list, and the L3 under its slot, which all roots share.
    pub(super) kernel_root: Pfn,
    pub(super) kernel_l3: Pfn,
}

/// Where the kernel has shared_info mapped.
pub(crate) const SHARED_INFO_VA: Va = Va((KERNEL_SLOT as u64) << 39);

impl<B: Backend> Kernel<B> {
    /// Builds the kernel's own address space in a fresh guest, loads it on this vCPU, and has room
    /// for `pmaps` others. To be called once a guest.
    ///
    /// # Errors
    /// Those of [`PmapError`]; none in a fresh guest that nobody suspends.
    pub fn boot(mmu: &impl Mmu<B>, pmaps: u32) -> Result<Self, PmapError> {
        let hold = mmu.hold();
        let access = hold.access();
        let first = Guest::<B>::OWN_PAGES;
        let [root, l3, l2, l1] = [0, 1, 2, 3].map(|n| Pfn(first + n));
        let table = Pte::P | Pte::RW | Pte::US | Pte::A;
        for page in [root, l3, l2, l1] {
            access.zero(page);
        }
        access.pin(access.mfn(root).ok_or(PmapError::Nothing)?, 4)?;
        Self::link(access, root, KERNEL_SLOT, l3, table)?;
        Self::link(access, l3, 0, l2, table)?;
        Self::link(access, l2, 0, l1, table)?;
        let kernel = Self {
            pmaps: (0..pmaps).map(|id| Padded(Pmap::new(id, pmaps))).collect(),
            list_lock: Ticket::default(),
            live: B::U32::new(NONE),
            free: B::U32::new(if pmaps == 0 { NONE } else { 0 }),
            pages: Pages::new(first + 4..access.guest().domain().pages()),
            kernel_root: root,
            kernel_l3: l3,
        };
        kernel.load_kernel_in(access)?;
        kernel.map_shared_info(access)?;
        Ok(kernel)
    }

    /// Makes entry `index` of `table` name `child`.
    pub(super) fn link(
        access: Access<'_, B>,
        table: Pfn,
        index: usize,
        child: Pfn,
        flags: u64,
    ) -> Result<(), PmapError> {
        let ptr = access.mfn(table).ok_or(PmapError::Nothing)?.entry(index);
        let val = NewPte::map(access.mfn(child).ok_or(PmapError::Nothing)?, flags);
        access.mmu_update(&[crate::xen::MmuUpdate::normal(ptr, val)])?;
        Ok(())
    }

    pub(super) fn load_kernel_in(&self, access: Access<'_, B>) -> Result<(), PmapError> {
        let root = access.mfn(self.kernel_root).ok_or(PmapError::Nothing)?;
        Ok(access.load(root)?)
    }

    /// Maps shared_info into the kernel's half.
    pub(crate) fn map_shared_info(&self, access: Access<'_, B>) -> Result<(), PmapError> {
        let entry = NewPte::map(access.shared_info(), Pte::P | Pte::RW | Pte::A);
        Ok(access.update_va_mapping(SHARED_INFO_VA, entry)?)
    }

    /// Unmaps it: it has no PFN, so the tools could not canonicalise the entry.
    pub(crate) fn unmap_shared_info(&self, access: Access<'_, B>) -> Result<(), PmapError> {
        Ok(access.update_va_mapping(SHARED_INFO_VA, NewPte::ZERO)?)
    }

    /// Loads the kernel's own address space on this vCPU.
    ///
    /// # Errors
    /// Xen's.
    pub fn load_kernel(&self, mmu: &impl Mmu<B>) -> Result<(), PmapError> {
        self.load_kernel_in(mmu.hold().access())
    }

    /// Loads a pmap on this vCPU: another process runs.
    ///
    /// # Errors
    /// Xen's.
    pub fn load(&self, mmu: &impl Mmu<B>, pmap: PmapId) -> Result<(), PmapError> {
        let hold = mmu.hold();
        let access = hold.access();
        let root = access.mfn(self.root(pmap)).ok_or(PmapError::Nothing)?;
        mmu.preemption_point();
        Ok(access.load(root)?)
    }

    /// Takes a free page for a process.
    ///
    /// # Errors
    /// [`PmapError::NoPages`] when there is none.
    pub fn take_page(&self, cache: &mut PageCache) -> Result<Pfn, PmapError> {
        self.pages.take(cache)
    }

    /// Gives a process's page back. Nothing may map it any more.
    pub fn give_page(&self, cache: &mut PageCache, page: Pfn) {
        self.pages.give(cache, page);
    }

    /// Gives all pages of a vCPU's cache back.
    pub fn drain(&self, cache: &mut PageCache) {
        self.pages.spill(cache, 0);
    }

    /// The PFN of a pmap's root.
    pub fn root(&self, pmap: PmapId) -> Pfn {
        Pfn(self.pmap(pmap).root.load(Relaxed))
    }

    fn pmap(&self, pmap: PmapId) -> &Pmap<B> {
        &self.pmaps[pmap.0 as usize].0
    }

    pub(super) fn lock(&self, pmap: PmapId) -> TicketGuard<'_, B> {
        self.pmap(pmap).lock.lock()
    }

    /// Takes a pmap off the free list; it is on no list until [`publish`](Self::publish).
    pub(super) fn claim(&self, root: Pfn) -> Result<PmapId, PmapError> {
        let _locked = self.list_lock.lock();
        let id = self.free.load(Relaxed);
        if id == NONE {
            return Err(PmapError::NoPmaps);
        }
        let pmap = self.pmap(PmapId(id));
        self.free.store(pmap.next.load(Relaxed), Relaxed);
        pmap.root.store(root.0, Relaxed);
        Ok(PmapId(id))
    }

    /// Puts a pmap on the list of live ones.
    pub(super) fn publish(&self, id: PmapId) {
        let _locked = self.list_lock.lock();
        let first = self.live.load(Relaxed);
        if first != NONE {
            self.pmap(PmapId(first)).prev.store(id.0, Relaxed);
        }
        let pmap = self.pmap(id);
        pmap.next.store(first, Relaxed);
        pmap.prev.store(NONE, Relaxed);
        self.live.store(id.0, Relaxed);
    }

    /// Takes a pmap off the list of live ones.
    pub(super) fn retire(&self, id: PmapId) {
        let _locked = self.list_lock.lock();
        let pmap = self.pmap(id);
        let (next, prev) = (pmap.next.load(Relaxed), pmap.prev.load(Relaxed));
        match prev {
            NONE => self.live.store(next, Relaxed),
            prev => self.pmap(PmapId(prev)).next.store(next, Relaxed),
        }
        if next != NONE {
            self.pmap(PmapId(next)).prev.store(prev, Relaxed);
        }
    }

    /// Gives a pmap's place back.
    pub(super) fn unclaim(&self, id: PmapId) {
        let _locked = self.list_lock.lock();
        let pmap = self.pmap(id);
        pmap.next.store(self.free.load(Relaxed), Relaxed);
        self.free.store(id.0, Relaxed);
    }

    /// Calls `visit` with the root of every live pmap, the list's lock held.
    pub fn each_root(&self, mut visit: impl FnMut(Pfn)) {
        let _locked = self.list_lock.lock();
        let mut id = self.live.load(Relaxed);
        while id != NONE {
            let pmap = self.pmap(PmapId(id));
            visit(Pfn(pmap.root.load(Relaxed)));
            id = pmap.next.load(Relaxed);
        }
    }
}

impl<B: Backend> Pmap<B> {
    /// Pmap `id` of `of`, on the free list in order.
    fn new(id: u32, of: u32) -> Self {
        Self {
            lock: Ticket::default(),
            root: B::U64::new(0),
            next: B::U32::new(if id + 1 < of { id + 1 } else { NONE }),
            prev: B::U32::new(NONE),
        }
    }
}
