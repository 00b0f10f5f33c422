//! The kernel that owns the pmaps: the table of them, and its own half.
//!
//! A pmap's root is written when it is created and does not change until it is destroyed
//! ("read-only after create"), which is what lets the suspend visit all pmaps by the list, without
//! their locks.

use super::Alternate;
use super::frame_list::FrameList;
use super::kept::KeptMfns;
use super::pages::{PageCache, Pages};
use super::pdp_cache::PdpCache;
use super::pv::Pvs;
use super::roster::Roster;
use super::stack::Stack;
use super::work::Users;
use super::{KERNEL_SLOT, PmapError};
use crate::backend::{Atomic, Backend};
use crate::primitive::{Padded, Ticket, TicketGuard};
use crate::xen::{Access, Flush, Guest, Mmu, NewPte, Pfn, Pte, RawQueues, Va};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::Ordering::Relaxed;

/// A pmap, by its place in the kernel's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PmapId(pub(super) u32);

#[derive(Debug)]
pub(super) struct Pmap<B: Backend> {
    /// `pm_lock`: guards the tables below the root.
    lock: Ticket<B>,
    /// The PFN of the root; written while the pmap is on no list.
    root: B::U64,
}

/// The kernel: its pmaps and its pages.
#[derive(Debug)]
pub struct Kernel<B: Backend> {
    /// Those of processes; the last one is the kernel's own, which is on no list of live ones.
    pmaps: Box<[Padded<Pmap<B>>]>,
    pub(super) roster: Roster<B>,
    /// How another pmap's tables are reached.
    pub(super) alternate: Alternate,
    pub(super) users: Users<B>,
    pub(super) pages: Pages<B>,
    pub(super) pvs: Pvs<B>,
    queues: RawQueues<B>,
    drivers: KeptMfns<B>,
    pub(super) pdp_cache: PdpCache<B>,
    /// Pages without a frame.
    pub(super) balloon: Stack<B>,
    /// The L3 under the kernel's slot, which all roots share.
    pub(super) kernel_l3: Pfn,
    pub(super) frame_list: FrameList,
}

/// Tables that the kernel begins with.
const TABLES: u64 = 4;
/// MFNs that the drivers may keep.
const KEPT: usize = 16;

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
        let guest = access.guest();
        let (all, vcpus) = (guest.domain().pages(), guest.domain().max_vcpus());
        let frame_list = FrameList::new(Pfn(first + TABLES), all);
        let kernel = Self {
            pmaps: (0..=pmaps).map(|_| Padded(Pmap::default())).collect(),
            roster: Roster::new(pmaps),
            alternate: Alternate::default(),
            users: Users::default(),
            pages: Pages::new(first + TABLES + frame_list.pages()..all),
            pvs: Pvs::new(all, vcpus),
            queues: RawQueues::new(guest),
            drivers: KeptMfns::new(KEPT),
            pdp_cache: PdpCache::new(all),
            balloon: Stack::new(all),
            kernel_l3: l3,
            frame_list,
        };
        kernel.set_root(kernel.own(), root);
        kernel.load_kernel_in(access)?;
        kernel.map_shared_info(access)?;
        kernel.build_frame_list(access)?;
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
        let root = access.mfn(self.root(self.own()));
        Ok(access.load(root.ok_or(PmapError::Nothing)?)?)
    }

    /// Maps shared_info into the kernel's half.
    pub(crate) fn map_shared_info(&self, access: Access<'_, B>) -> Result<(), PmapError> {
        let entry = NewPte::map(access.shared_info(), Pte::P | Pte::RW | Pte::A);
        Ok(access.update_va_mapping(SHARED_INFO_VA, entry, Flush::PAGE)?)
    }

    /// Unmaps it: it has no PFN, so the tools could not canonicalise the entry.
    pub(crate) fn unmap_shared_info(&self, access: Access<'_, B>) -> Result<(), PmapError> {
        Ok(access.update_va_mapping(SHARED_INFO_VA, NewPte::ZERO, Flush::PAGE)?)
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

    /// Takes a free page for a process, neither accessed nor dirty.
    ///
    /// # Errors
    /// [`PmapError::NoPages`] when there is none.
    pub fn take_page(&self, cache: &mut PageCache) -> Result<Pfn, PmapError> {
        let page = self.pages.take(cache)?;
        self.pvs.renew(page);
        Ok(page)
    }

    /// Gives a process's page back. Nothing may map it any more.
    pub fn give_page(&self, cache: &mut PageCache, page: Pfn) {
        self.pages.give(cache, page);
    }

    /// Gives all that a vCPU's cache has back: pages and list nodes to where all find them, constructed
    /// roots to their depot.
    pub fn drain(&self, cache: &mut PageCache) {
        self.pdp_cache.spill(cache, 0);
        self.pages.spill(cache, 0);
        self.pvs.nodes.spill(&mut cache.pvs, 0);
    }

    /// The vCPUs' queues of updates that a suspend flushes.
    pub fn queues(&self) -> &RawQueues<B> {
        &self.queues
    }

    /// The MFNs of drivers that a suspend translates: 16 places.
    pub fn drivers(&self) -> &KeptMfns<B> {
        &self.drivers
    }

    /// What lies outside of any hold is put away: drivers' MFNs become PFNs, and every vCPU's queue is
    /// flushed.
    pub(crate) fn settle(&self, access: Access<'_, B>) -> Result<(), PmapError> {
        self.drivers.canonicalise(access);
        Ok(self.queues.flush_all(access)?)
    }

    /// Undoes [`settle`](Self::settle), in any incarnation.
    pub(crate) fn unsettle(&self, access: Access<'_, B>) {
        self.drivers.localise(access);
    }

    /// The PFN of a pmap's root.
    pub fn root(&self, pmap: PmapId) -> Pfn {
        Pfn(self.pmap(pmap).root.load(Relaxed))
    }

    /// The kernel's own pmap.
    pub fn own(&self) -> PmapId {
        PmapId(self.pmaps.len() as u32 - 1)
    }

    fn pmap(&self, pmap: PmapId) -> &Pmap<B> {
        &self.pmaps[pmap.0 as usize].0
    }

    pub(super) fn lock(&self, pmap: PmapId) -> TicketGuard<'_, B> {
        self.pmap(pmap).lock.lock()
    }

    /// This root is that pmap's, which is on no list.
    pub(super) fn set_root(&self, pmap: PmapId, root: Pfn) {
        self.pmap(pmap).root.store(root.0, Relaxed);
        self.pages.own(root, Some(pmap));
    }

    /// Calls `visit` with every live pmap, the list's lock held.
    pub fn each_live(&self, visit: impl FnMut(PmapId)) {
        self.roster.each_live(visit);
    }

    /// Calls `visit` with every pmap whose alternate slot is in use, the list's lock held.
    pub fn each_dirty(&self, visit: impl FnMut(PmapId)) {
        self.roster.each_dirty(visit);
    }

    /// The pmaps that are on no list of live ones: the kernel's, and the vCPUs' own.
    pub(super) fn unlisted(&self) -> Vec<PmapId> {
        let mut pmaps = self.roster.unlisted();
        pmaps.insert(0, self.own());
        pmaps
    }
}

impl<B: Backend> Default for Pmap<B> {
    fn default() -> Self {
        Self {
            lock: Ticket::default(),
            root: B::U64::new(0),
        }
    }
}
