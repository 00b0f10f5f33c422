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
use super::{Layout, PmapError};
use crate::backend::{Atomic, Backend};
use crate::primitive::{Padded, Ticket, TicketGuard};
use crate::xen::{Access, Flush, Guest, Mmu, NewPte, Pfn, Pte, RawQueues};
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
    /// The tables under the kernel's slots, which all roots share.
    pub(super) kernel_tables: Vec<Pfn>,
    pub(super) layout: Layout,
    /// How many levels of tables there are.
    pub(super) levels: u32,
    pub(super) frame_list: FrameList,
}

/// MFNs that the drivers may keep.
const KEPT: usize = 16;

impl<B: Backend> Kernel<B> {
    /// Builds the kernel's own address space in a fresh guest, loads it on this vCPU, and has room
    /// for `pmaps` others. To be called once a guest.
    ///
    /// # Errors
    /// Those of [`PmapError`]; none in a fresh guest that nobody suspends.
    pub fn boot(mmu: &impl Mmu<B>, pmaps: u32) -> Result<Self, PmapError> {
        let hold = mmu.hold();
        let access = hold.access();
        let guest = access.guest();
        let layout = Layout::of(guest.paging());
        let (all, vcpus) = (guest.domain().pages(), guest.domain().max_vcpus());
        let first = Guest::<B>::OWN_PAGES + layout.first_pages();
        let frame_list = FrameList::new(Pfn(first), all);
        let mut kernel = Self {
            pmaps: (0..=pmaps).map(|_| Padded(Pmap::default())).collect(),
            roster: Roster::new(pmaps),
            alternate: Alternate::default(),
            users: Users::default(),
            pages: Pages::new(first + frame_list.pages()..all),
            pvs: Pvs::new(all, vcpus),
            queues: RawQueues::new(guest),
            drivers: KeptMfns::new(KEPT),
            pdp_cache: PdpCache::new(all),
            balloon: Stack::new(all),
            kernel_tables: Vec::new(),
            layout,
            levels: guest.paging().levels(),
            frame_list,
        };
        kernel.map_itself(access)?;
        kernel.load_kernel_in(access)?;
        kernel.map_shared_info(access)?;
        kernel.build_frame_list(access)?;
        Ok(kernel)
    }

    pub(super) fn load_kernel_in(&self, access: Access<'_, B>) -> Result<(), PmapError> {
        let root = access.mfn(self.root(self.own()));
        Ok(access.load(root.ok_or(PmapError::Nothing)?)?)
    }

    /// Maps shared_info into the kernel's half.
    pub(crate) fn map_shared_info(&self, access: Access<'_, B>) -> Result<(), PmapError> {
        let entry = NewPte::map(access.shared_info(), Pte::P | Pte::RW | Pte::A);
        Ok(access.update_va_mapping(self.layout.shared_info(), entry, Flush::PAGE)?)
    }

    /// Unmaps it: it has no PFN, so the tools could not canonicalise the entry.
    pub(crate) fn unmap_shared_info(&self, access: Access<'_, B>) -> Result<(), PmapError> {
        Ok(access.update_va_mapping(self.layout.shared_info(), NewPte::ZERO, Flush::PAGE)?)
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
