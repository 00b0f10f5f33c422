//! Mappings of the kernel's own, which no list of a page knows: `pmap_kenter_pa`, `pmap_kremove`.
//!
//! They are made and undone by the run, at addresses of [`KVA`], in tables that all pmaps share and that
//! are never given back. Nobody may map a page there that somebody else may take away by its list, so
//! these are for pages that the kernel has for itself.
//!
//! Source: NetBSD `pmap_kenter_pa`, `pmap_kremove`, `pmap_update`.

use super::kernel::Kernel;
use super::layout;
use super::mapping::Range;
use super::pages::PageCache;
use super::table::Slot;
use super::{KeptMfns, PmapError};
use crate::backend::Backend;
use crate::xen::raw::RawUpdate;
use crate::xen::{Access, Mmu, MmuUpdate, NewPte, Pfn, Pte, RawQueues, Va};
use alloc::vec::Vec;

/// Flags of a page of the kernel's.
const PAGE: u64 = Pte::P | Pte::A;

/// The pages of the kernel's half that [`Kernel::kenter`] may map on amd64: a quarter of a TiB, less the 2 MiB
/// under the kernel's first table.
pub const KVA: Range = layout::AMD64.kva();

impl<B: Backend> Kernel<B> {
    /// Maps pages at the addresses from `va` on, in place of what was there.
    ///
    /// One hold; costs the lock of the kernel's pmap, a walk a page, and a hypercall for every 2,048
    /// pages; one more for each table that is missing, the first time.
    ///
    /// # Errors
    /// [`PmapError::NotKernels`] if the addresses are not all in [`KVA`]; [`PmapError::NoPages`] when a
    /// table is missing and no page is free for it; Xen's. What came before stays done.
    pub fn kenter(
        &self,
        mmu: &impl Mmu<B>,
        cache: &mut PageCache,
        va: Va,
        pages: &[Pfn],
        write: bool,
    ) -> Result<(), PmapError> {
        let hold = mmu.hold();
        let access = hold.access();
        let _locked = self.lock(self.own());
        let updates = self.kernel_updates(access, cache, va, pages, write)?;
        mmu.preemption_point();
        access.update_all(&updates)?;
        Ok(())
    }

    /// As [`kenter`](Self::kenter), but only queues the updates (`pmap_pte_set`): they wait in this
    /// vCPU's queue until it is flushed, by [`update`](Self::update) or because it is full, and
    /// **outlive the hold**. In the kernel's own queues ([`queues`](Self::queues)) the suspend looks for
    /// them.
    ///
    /// # Errors
    /// As [`kenter`](Self::kenter).
    pub fn kenter_queued(
        &self,
        mmu: &impl Mmu<B>,
        cache: &mut PageCache,
        queues: &RawQueues<B>,
        va: Va,
        pages: &[Pfn],
    ) -> Result<(), PmapError> {
        let hold = mmu.hold();
        let access = hold.access();
        let _locked = self.lock(self.own());
        for update in self.kernel_updates(access, cache, va, pages, true)? {
            queues.push(access, update)?;
        }
        Ok(())
    }

    /// Flushes this vCPU's queue (`pmap_update`): one hold, one hypercall or none. Whatever happened
    /// since it was filled has happened.
    ///
    /// # Errors
    /// Xen's, as [`RawQueues::flush`] says.
    pub fn update(&self, mmu: &impl Mmu<B>, queues: &RawQueues<B>) -> Result<(), PmapError> {
        mmu.preemption_point();
        Ok(queues.flush(mmu.hold().access())?)
    }

    /// Maps, at an address of [`KVA`], the frame that a driver keeps: by its number at rest, which
    /// nothing vouches for. One hold, one hypercall.
    ///
    /// # Errors
    /// [`PmapError::Nothing`] if none is kept; else as [`kenter`](Self::kenter).
    pub fn kenter_kept(
        &self,
        mmu: &impl Mmu<B>,
        cache: &mut PageCache,
        va: Va,
        drivers: &KeptMfns<B>,
        place: usize,
    ) -> Result<(), PmapError> {
        mmu.preemption_point();
        let hold = mmu.hold();
        let access = hold.access();
        let _locked = self.lock(self.own());
        let mfn = drivers.kept(place).ok_or(PmapError::Nothing)?;
        let slot = self.kernel_slot(access, cache, va)?;
        let update = RawUpdate {
            ptr: slot.addr().raw(),
            val: Pte(PAGE | Pte::RW).with_frame(mfn.0).0,
        };
        Ok(access.raw().update(update)?)
    }

    /// Unmaps addresses of [`KVA`]. One hold, a walk a page, a hypercall for every 2,048 that were
    /// mapped. Their tables stay.
    ///
    /// # Errors
    /// [`PmapError::NotKernels`]; Xen's. What came before stays done.
    pub fn kremove(&self, mmu: &impl Mmu<B>, range: Range) -> Result<(), PmapError> {
        self.in_kva(range)?;
        let hold = mmu.hold();
        let access = hold.access();
        let _locked = self.lock(self.own());
        let slots = (range.page..range.page + range.pages)
            .filter_map(|page| self.slot(access, self.own(), Va::of_page(page)));
        let mapped = slots.filter(|slot| slot.entry.pte().present());
        let updates: Vec<_> = mapped
            .map(|slot| MmuUpdate::normal(slot.addr(), NewPte::ZERO))
            .collect();
        mmu.preemption_point();
        access.update_all(&updates)?;
        Ok(())
    }

    /// The updates that map pages from `va` on, translated.
    fn kernel_updates<'g>(
        &self,
        access: Access<'g, B>,
        cache: &mut PageCache,
        va: Va,
        pages: &[Pfn],
        write: bool,
    ) -> Result<Vec<MmuUpdate<'g>>, PmapError> {
        self.in_kva(Range {
            page: va.page(),
            pages: pages.len() as u64,
        })?;
        let rights = if write { Pte::RW } else { 0 };
        let update = |(page, pfn): (u64, &Pfn)| {
            let slot = self.kernel_slot(access, cache, Va::of_page(page))?;
            let mfn = access.mfn(*pfn).ok_or(PmapError::Nothing)?;
            Ok(MmuUpdate::normal(
                slot.addr(),
                NewPte::map(mfn, PAGE | rights),
            ))
        };
        (va.page()..).zip(pages).map(update).collect()
    }

    /// The L1 entry of an address of the kernel's, its tables made where they are missing.
    fn kernel_slot<'g>(
        &self,
        access: Access<'g, B>,
        cache: &mut PageCache,
        va: Va,
    ) -> Result<Slot<'g>, PmapError> {
        self.in_kva(Range {
            page: va.page(),
            pages: 1,
        })?;
        self.slot_or_build(access, cache, self.own(), va)
    }

    /// Whether a run lies in the kernel's part: [`KVA`] on amd64.
    fn in_kva(&self, run: Range) -> Result<(), PmapError> {
        let kva = self.layout.kva();
        let first = run.page.checked_sub(kva.page);
        let end = first.and_then(|first| first.checked_add(run.pages));
        match end {
            Some(end) if end <= kva.pages => Ok(()),
            _ => Err(PmapError::NotKernels),
        }
    }
}
