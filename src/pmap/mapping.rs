//! Mappings: enter, remove, protect, extract.

use super::alternate::Alternate;
use super::kernel::Kernel;
use super::pages::PageCache;
use super::pv::PvEntry;
use super::visit::Visit;
use super::work::User;
use super::{PmapError, PmapId};
use crate::backend::Backend;
use crate::xen::{Access, Mmu, MmuUpdate, NewPte, Pfn, Pte, ReadPte, Va};
use alloc::vec::Vec;

/// Flags of a process's page.
const PAGE: u64 = Pte::P | Pte::US | Pte::A;

/// Pages that one L1 table maps.
const L1_PAGES: u64 = 512;

/// A range of pages of an address space. What of it lies beyond the process's part
/// ([`Layout::process_end`](super::Layout::process_end)) is nobody's, and left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first page's number: its address >> 12.
    pub page: u64,
    /// How many.
    pub pages: u64,
}

impl Range {
    /// The parts of the range before page `end` that one L1 table each maps.
    fn by_table(self, end: u64) -> impl Iterator<Item = Range> {
        let end = self.page.saturating_add(self.pages).min(end);
        let mut page = self.page;
        core::iter::from_fn(move || {
            let next = end.min((page / L1_PAGES + 1) * L1_PAGES);
            let part = Range {
                page,
                pages: next.saturating_sub(page),
            };
            page = next;
            (part.pages > 0).then_some(part)
        })
    }
}

impl<B: Backend> Kernel<B> {
    /// Maps a page at an address, in place of what was there (`pmap_enter`).
    ///
    /// One hold, from the translation to its use: it spans the sleep for the pmap's lock. Costs that
    /// lock, a walk of four levels and one hypercall, up to three more for tables that are missing, and
    /// the locks of the page and of the one that was there, for their lists.
    ///
    /// # Errors
    /// [`PmapError::NoPages`] when a table is missing and no page is free for it;
    /// [`PmapError::NoPvs`]; [`PmapError::Nothing`] for an address that is no process's; Xen's.
    pub fn enter(
        &self,
        mmu: &impl Mmu<B>,
        cache: &mut PageCache,
        pmap: PmapId,
        va: Va,
        pfn: Pfn,
        write: bool,
    ) -> Result<(), PmapError> {
        if va.page() >= self.layout.process_end() {
            return Err(PmapError::Nothing);
        }
        let hold = mmu.hold();
        let access = hold.access();
        let mfn = access.mfn(pfn).ok_or(PmapError::Nothing)?;
        self.pvs.nodes.reserve(&mut cache.pvs, 1)?;
        let mut visit = self.visit(access, pmap, User::Enter)?;
        let slot = self.slot_or_build(access, cache, pmap, va)?;
        let old = visit.entry(va, slot.entry);
        let rights = if write { Pte::RW } else { 0 };
        let update = MmuUpdate::normal(slot.addr(), NewPte::map(mfn, PAGE | rights));
        mmu.preemption_point();
        access.mmu_update(&[update])?;
        if !old.pte().present()
            && let Some(table) = access.pfn(slot.table)
        {
            self.pages.entries_add(table, 1);
        }
        self.relist(access, cache, PvEntry::new(pmap, va), old, pfn);
        visit.end()
    }

    /// What is mapped at an address (`pmap_extract`). One hold, a walk of four levels, no lock: as
    /// the fast path of the original, it must not meet the destruction of the same pmap. In a kernel
    /// with a window on page tables ([`Alternate`]), through that: `None` also if Xen refuses it.
    #[inline]
    pub fn extract(&self, mmu: &impl Mmu<B>, pmap: PmapId, va: Va) -> Option<Pfn> {
        let hold = mmu.hold();
        let access = hold.access();
        if self.alternate != Alternate::Direct {
            let mut window = self.map_ptes(access, pmap, User::Extract).ok()?;
            let entry = window.entry(va);
            window.unmap().ok()?;
            return access.pfn(entry?.mfn()?);
        }
        let slot = self.slot(access, pmap, va)?;
        access.pfn(slot.entry.mfn()?)
    }

    /// Unmaps a range (`pmap_remove`): one hold and one batch of updates for each L1 table in it.
    ///
    /// # Errors
    /// Xen's; what came before stays done.
    pub fn remove(
        &self,
        mmu: &impl Mmu<B>,
        cache: &mut PageCache,
        pmap: PmapId,
        range: Range,
    ) -> Result<(), PmapError> {
        for part in range.by_table(self.layout.process_end()) {
            let hold = mmu.hold();
            let access = hold.access();
            let mut visit = self.visit(access, pmap, User::Remove)?;
            let mut old = Vec::new();
            let zeroed = self.update_part(mmu, access, pmap, part, &mut visit, |va, entry| {
                old.push((PvEntry::new(pmap, va), entry));
                Some(NewPte::ZERO)
            });
            // Of a batch that Xen stopped in, those before are done.
            let gone = zeroed.map_or_else(PmapError::done, |gone| gone as usize);
            if gone > 0 {
                // Other CPUs forget what they knew: interrupts go out, and their answers come.
                mmu.preemption_point();
                for (at, entry) in &old[..gone] {
                    self.unlist(access, cache, *at, *entry);
                }
                let va = Va::of_page(part.page);
                self.entries_gone(access, cache, pmap, va, gone as u32)?;
            }
            zeroed?;
            visit.end()?;
        }
        Ok(())
    }

    /// Makes a range writable or read-only (`pmap_protect`).
    ///
    /// # Errors
    /// Xen's; what came before stays done.
    pub fn protect(
        &self,
        mmu: &impl Mmu<B>,
        pmap: PmapId,
        range: Range,
        write: bool,
    ) -> Result<(), PmapError> {
        let (set, clear) = if write { (Pte::RW, 0) } else { (0, Pte::RW) };
        for part in range.by_table(self.layout.process_end()) {
            let hold = mmu.hold();
            let access = hold.access();
            let mut visit = self.visit(access, pmap, User::Protect)?;
            self.update_part(mmu, access, pmap, part, &mut visit, |_, entry| {
                (entry.pte().writable() != write).then(|| entry.with_flags(set, clear))
            })?;
            visit.end()?;
        }
        Ok(())
    }

    /// Replaces the present entries of a part by what `new` makes of them; returns how many.
    fn update_part<'g>(
        &self,
        mmu: &impl Mmu<B>,
        access: Access<'g, B>,
        pmap: PmapId,
        part: Range,
        visit: &mut Visit<'_, 'g, B>,
        mut new: impl FnMut(Va, ReadPte<'g>) -> Option<NewPte<'g>>,
    ) -> Result<u32, PmapError> {
        let Some(table) = self.table(access, pmap, Va::of_page(part.page), 1) else {
            return Ok(0);
        };
        let mut updates = Vec::new();
        for page in part.page..part.page + part.pages {
            let va = Va::of_page(page);
            let index = va.index(1);
            let entry = visit.entry(va, access.read(table, index));
            if !entry.pte().present() {
                continue;
            }
            if let Some(val) = new(va, entry) {
                updates.push(MmuUpdate::normal(table.entry(index), val));
            }
        }
        if !updates.is_empty() {
            mmu.preemption_point();
            access.mmu_update(&updates)?;
        }
        Ok(updates.len() as u32)
    }

    /// An address maps a page in place of what `old` says; its pmap is locked, a node reserved.
    fn relist(
        &self,
        access: Access<'_, B>,
        cache: &mut PageCache,
        at: PvEntry,
        old: ReadPte<'_>,
        page: Pfn,
    ) {
        match access.page_of(old) {
            Some(was) if was == page => return self.pvs.leave_attrs(page, old.pte()),
            Some(was) => drop(self.pvs.remove(&mut cache.pvs, was, at, old.pte())),
            None => {}
        }
        self.pvs.insert(&mut cache.pvs, page, at);
    }

    /// An entry is gone, and its page, which the M2P knows by the MFN in it, is mapped there no more.
    pub(super) fn unlist(
        &self,
        access: Access<'_, B>,
        cache: &mut PageCache,
        at: PvEntry,
        old: ReadPte<'_>,
    ) {
        if let Some(page) = access.page_of(old) {
            self.pvs.remove(&mut cache.pvs, page, at, old.pte());
        }
    }
}
