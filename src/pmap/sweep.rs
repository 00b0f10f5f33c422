//! Before a save: emptying every alternate slot, in each way that was thought of.
//!
//! Roots are found by the list of live pmaps, or by that of those whose slot is in use; those that are
//! on no list of live ones (the kernel's, the vCPUs' own) are visited with them. To be called by the
//! suspender, alone: no slot is set meanwhile, so a way needs no pmap's lock.
//!
//! Source: the ways are those of NetBSD's history; see each.

use super::kernel::Kernel;
use super::work::{Act, User, Work};
use super::{PmapError, PmapId};
use crate::backend::Backend;
use crate::xen::number::ENTRIES;
use crate::xen::{Access, Flush, Mmu, NewPte, Pfn, Pte, UpdateQueue, Va};
use alloc::vec::Vec;

/// A way of visiting pmaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Brings each live pmap's tables into view, looks, and empties its slot (the branch of 2009).
    /// A visit is what it is in this kernel; with [`Alternate::Lazy`](super::Alternate::Lazy), a
    /// hypercall and a flush. Since 2017 Xen refuses it: a root whose slot is set cannot be named.
    MapEach,
    /// Reads each live pmap's slot through `pm_pdir`, the root's address in the kernel's half. It is
    /// not mapped there: the fault handler maps it. Writing through it would fault in any case, since
    /// page tables are read-only.
    PmPdir,
    /// Reads nothing: one update for each live pmap, 2,048 to a hypercall (merged in 2011).
    Batched,
    /// One update for each pmap on the list that [`Kernel::map_ptes`] keeps.
    DirtyList,
    /// Slots only in roots that are the vCPUs' own: one update for each vCPU, whatever is set.
    PerCpu,
}

impl Way {
    /// All of them, in the order of their history.
    pub const ALL: [Way; 5] = [
        Way::MapEach,
        Way::PmPdir,
        Way::Batched,
        Way::DirtyList,
        Way::PerCpu,
    ];

    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Way::MapEach => "map_each",
            Way::PmPdir => "pm_pdir",
            Way::Batched => "batched",
            Way::DirtyList => "dirty_list",
            Way::PerCpu => "per_cpu",
        }
    }
}

impl<B: Backend> Kernel<B> {
    /// Where the fault handler maps the page of a directory that has the alternate slot.
    fn pdir_va(&self) -> Va {
        Va(self.layout.shared_info().0 | 511 << 12)
    }

    /// `pm_pdir`: where that page would be mapped, had each its place.
    fn pm_pdir(&self, pmap: PmapId) -> Va {
        Va(self.layout.middle().0 + (u64::from(pmap.0) << 12))
    }

    /// The word of the alternate slot, at the address of that page.
    fn slot_in(&self, page: Va) -> Va {
        Va(page.0 | ((self.layout.alternate % ENTRIES) as u64) << 3)
    }

    /// Empties every alternate slot, the kernel's way: by the list; and all TLBs, if one was set: a suspend
    /// that is cancelled comes back with the same TLBs, and a slot that is empty is set without a flush.
    /// Costs nothing where none is set.
    ///
    /// # Errors
    /// Xen's.
    pub fn clear_alternate(&self, mmu: &impl Mmu<B>) -> Result<(), PmapError> {
        if self.sweep(mmu, Way::DirtyList)?.of(Act::Update) > 0 {
            mmu.hold().access().flush_all()?;
        }
        self.clear_cached_windows(mmu)
    }

    /// Empties every alternate slot; [`Way::PerCpu`], those of the vCPUs' own roots. Returns the work.
    ///
    /// # Errors
    /// Xen's; what came before stays done.
    pub fn sweep(&self, mmu: &impl Mmu<B>, way: Way) -> Result<Work, PmapError> {
        let hold = mmu.hold();
        let access = hold.access();
        match way {
            Way::MapEach => self.map_each(access),
            Way::PmPdir => self.by_pm_pdir(access),
            Way::Batched => self.batched(access),
            Way::DirtyList => {
                let mut dirty = Vec::new();
                self.each_dirty(|pmap| dirty.push(pmap));
                self.empty(access, &dirty)
            }
            Way::PerCpu => self.empty(access, &self.unlisted()),
        }
    }

    /// How many alternate slots are set, by looking at every root.
    pub fn slots_set(&self, mmu: &impl Mmu<B>) -> u64 {
        let hold = mmu.hold();
        let access = hold.access();
        let mut roots = alloc::vec![self.root(self.own())];
        self.each_constructed(|root| roots.push(root));
        let set = |root: &&Pfn| {
            let slot = |root| self.place(access, root, self.layout.alternate);
            let place = access.mfn(**root).and_then(slot);
            place.is_some_and(|(table, index)| access.read(table, index).pte().present())
        };
        roots.iter().filter(set).count() as u64
    }

    /// One update for each of `pmaps`.
    fn empty(&self, access: Access<'_, B>, pmaps: &[PmapId]) -> Result<Work, PmapError> {
        let mut work = self.empty_slots(access, pmaps, User::Save)?;
        work.did(Act::Read, pmaps.len() as u64);
        Ok(work)
    }

    fn batched(&self, access: Access<'_, B>) -> Result<Work, PmapError> {
        let mut work = self.empty(access, &self.unlisted())?;
        let mut queue = UpdateQueue::new(access);
        let mut queued = Ok(());
        let mut visited = 0;
        self.each_live(|pmap| {
            let zeros = |root| self.aimed(access, root, self.layout.alternate, None).ok();
            let updates = access.mfn(self.root(pmap)).and_then(zeros);
            for update in updates.into_iter().flatten() {
                queued = queued.and_then(|()| queue.push(update));
            }
            visited += 1;
        });
        queued?;
        queue.flush()?;
        work.did(Act::Read, visited);
        let updates = visited * self.layout.pages as u64;
        work.did(Act::Update, updates);
        work.did(
            Act::Hypercall,
            updates.div_ceil(crate::xen::queue::QUEUE as u64),
        );
        self.roster.drain_dirty();
        Ok(work)
    }

    fn map_each(&self, access: Access<'_, B>) -> Result<Work, PmapError> {
        let mut live = Vec::new();
        self.each_live(|pmap| live.push(pmap));
        let mut work = Work::default();
        work.did(Act::Read, live.len() as u64);
        for pmap in live {
            let mut window = self.map_ptes(access, pmap, User::Save)?;
            let slot = window.root_entry(self.layout.alternate);
            work += window.unmap()?;
            if slot.is_some_and(|entry| entry.pte().present()) {
                work += self.empty(access, &[pmap])?;
            }
        }
        // The last one in view, and those that were on no list.
        work += self.empty(access, &self.unlisted())?;
        self.roster.drain_dirty();
        Ok(work)
    }

    fn by_pm_pdir(&self, access: Access<'_, B>) -> Result<Work, PmapError> {
        let mut work = self.empty(access, &self.unlisted())?;
        let mut live = Vec::new();
        self.each_live(|pmap| live.push(pmap));
        work.did(Act::Read, live.len() as u64);
        for pmap in live {
            work.did(Act::Read, 1);
            let word = match access.peek(self.slot_in(self.pm_pdir(pmap))) {
                Ok(word) => word,
                Err(_) => {
                    work.did(Act::Fault, 1);
                    self.map_root(access, pmap, &mut work)?;
                    access
                        .peek(self.slot_in(self.pdir_va()))
                        .map_err(|_| PmapError::Nothing)?
                }
            };
            if Pte(word).present() {
                work += self.empty(access, &[pmap])?;
            }
        }
        access.update_va_mapping(self.pdir_va(), NewPte::ZERO, Flush::PAGE)?;
        work.did(Act::Hypercall, 1);
        work.did(Act::Update, 1);
        work.did(Act::Flush, 1);
        Ok(work)
    }

    /// Maps a root where the kernel reads it, in place of the last one: one hypercall, since
    /// `update_va_mapping` flushes a page too.
    fn map_root(
        &self,
        access: Access<'_, B>,
        pmap: PmapId,
        work: &mut Work,
    ) -> Result<(), PmapError> {
        let root = access.mfn(self.root(pmap)).ok_or(PmapError::Nothing)?;
        let place = self.place(access, root, self.layout.alternate);
        let (page, _) = place.ok_or(PmapError::Nothing)?;
        let entry = NewPte::map(page, Pte::P | Pte::A);
        access.update_va_mapping(self.pdir_va(), entry, Flush::PAGE)?;
        work.did(Act::Hypercall, 1);
        work.did(Act::Update, 1);
        work.did(Act::Flush, 1);
        Ok(())
    }
}
