//! What is done to a page wherever it is mapped: unmap it, test or clear its accessed and dirty bits.
//!
//! A page's list names pmaps, and a pmap's lock comes before the page's. So an entry is taken from the
//! list, the page let go, the pmap locked, and the list asked again: an entry that is still on it is
//! mapped ([`Pvs`](super::pv::Pvs)), and stays so while that lock is held.
//!
//! Each page-table entry found is then compared with what an entry of this page must be: the page's
//! frame, present. That **expectation is an MFN**. Computed in the hold in which it is compared it is
//! always met. Kept across holds it may be from another incarnation, and then it is never met again:
//! who tries again with the same one tries for ever. NetBSD computes it once, and on a mismatch drops
//! its locks, backs off, and starts over with it. Here each try computes it anew.
//!
//! Source: NetBSD `pmap_page_remove`, `pmap_test_attrs`, `pmap_clear_attrs`, `pmap_sync_pv` (EAGAIN).

use super::PmapError;
use super::kernel::Kernel;
use super::pages::PageCache;
use super::pv::PvEntry;
use super::table::Slot;
use crate::backend::Backend;
use crate::primitive::TicketGuard;
use crate::xen::{Access, Mmu, MmuUpdate, NewPte, Pfn, Pte, ReadPte};
use alloc::vec::Vec;

/// Mismatches in a row after which the lists and the tables are said to disagree: a suspend in each of
/// so many tries is not to be met.
const TRIES: u32 = 16;

/// What came of one try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "`Again` means that nothing is finished"]
pub enum Synced {
    /// Every mapping was as expected, and was dealt with.
    Done,
    /// One was not (`EAGAIN`): compute the expectation anew, and begin again.
    Again,
}

/// A mapping of a page, under its pmap's lock.
struct Mapped<'k, 'g, B: Backend> {
    slot: Slot<'g>,
    _locked: TicketGuard<'k, B>,
}

/// What an operation makes of the entries that map a page.
type Change<'g, 'f> = &'f mut dyn FnMut(ReadPte<'g>) -> Option<NewPte<'g>>;

impl<B: Backend> Kernel<B> {
    /// Unmaps a page from every pmap (`pmap_page_remove`).
    ///
    /// A hold for each try, of which there is one unless a suspend overtakes it. For each mapping: two
    /// locks of the page, one of its pmap, a walk, and a hypercall. A mapping that comes in the meantime
    /// may stay.
    ///
    /// # Errors
    /// [`PmapError::Nothing`] if the page has no frame; [`PmapError::Mismatch`] if an entry is not what
    /// it must be, again and again; Xen's. What came before stays done.
    ///
    /// # Example
    /// ```
    /// # #[cfg(feature = "std")] {
    /// # use ptom::{backend::Native, pmap::{Kernel, PageCache}, scheme::percpu::PerCpu, xen::*};
    /// # let machine = Machine::<Native, PerCpu<Native>>::new(Config::small()).unwrap();
    /// # let vcpu = machine.vcpu().unwrap();
    /// # let kernel = Kernel::boot(&vcpu, 4).unwrap();
    /// # let mut cache = PageCache::default();
    /// let parent = kernel.create(&vcpu, &mut cache)?;
    /// let page = kernel.take_page(&mut cache)?;
    /// kernel.enter(&vcpu, &mut cache, parent, Va(0x40_0000), page, true)?;
    /// let child = kernel.fork(&vcpu, &mut cache, parent)?;
    /// assert_eq!(kernel.mappings(page).len(), 2);
    /// kernel.page_remove(&vcpu, &mut cache, page)?;
    /// assert_eq!(kernel.extract(&vcpu, child, Va(0x40_0000)), None);
    /// # }
    /// # Ok::<(), ptom::pmap::PmapError>(())
    /// ```
    pub fn page_remove(
        &self,
        mmu: &impl Mmu<B>,
        cache: &mut PageCache,
        page: Pfn,
    ) -> Result<(), PmapError> {
        self.until_synced(mmu, page, |access, expected| {
            self.page_remove_expecting(access, cache, page, expected)
        })
    }

    /// One try of [`page_remove`](Self::page_remove) with an expectation of the caller's: for those who
    /// keep it, as the original does. Nothing says that it is still true.
    ///
    /// # Errors
    /// Xen's; what came before stays done.
    pub fn page_remove_expecting(
        &self,
        access: Access<'_, B>,
        cache: &mut PageCache,
        page: Pfn,
        expected: Pte,
    ) -> Result<Synced, PmapError> {
        for at in self.pvs.entries(page) {
            let mapped = match self.mapped(access, page, at, expected) {
                Found::Mapped(mapped) => mapped,
                Found::Gone => continue,
                Found::Other => return Ok(Synced::Again),
            };
            let slot = mapped.slot;
            access.mmu_update(&[MmuUpdate::normal(slot.addr(), NewPte::ZERO)])?;
            self.pvs.remove(&mut cache.pvs, page, at, slot.entry.pte());
            self.entries_gone(access, cache, at.pmap, at.va, 1)?;
        }
        Ok(Synced::Done)
    }

    /// Whether a page was accessed ([`Pte::A`]) or written to ([`Pte::D`]), whichever of `bits`, since
    /// that was last cleared (`pmap_test_attrs`): by an entry that maps it, or one that is gone.
    ///
    /// Costs a hold; if no entry that is gone says so, a lock and a walk for each mapping.
    ///
    /// # Errors
    /// As [`page_remove`](Self::page_remove).
    pub fn test_attrs(&self, mmu: &impl Mmu<B>, page: Pfn, bits: u64) -> Result<bool, PmapError> {
        if self.pvs.attrs(page, bits) != 0 {
            return Ok(true);
        }
        let mut found = 0;
        self.until_synced(mmu, page, |access, expected| {
            self.each_mapping(access, page, expected, &mut |entry| {
                found |= entry.pte().0 & bits;
                None
            })
        })?;
        Ok(found != 0)
    }

    /// The same, and clears them (`pmap_clear_attrs`); a hypercall for each entry that had one.
    ///
    /// # Errors
    /// As [`page_remove`](Self::page_remove).
    pub fn clear_attrs(&self, mmu: &impl Mmu<B>, page: Pfn, bits: u64) -> Result<bool, PmapError> {
        let mut found = self.pvs.take_attrs(page, bits);
        self.until_synced(mmu, page, |access, expected| {
            self.each_mapping(access, page, expected, &mut |entry| {
                let set = entry.pte().0 & bits;
                found |= set;
                (set != 0).then(|| entry.with_flags(0, bits))
            })
        })?;
        Ok(found != 0)
    }

    /// What an entry that maps a page must be, but for its flags: the page's frame, and present. At
    /// rest: it is true in the hold that `access` is of.
    pub fn expected(&self, access: Access<'_, B>, page: Pfn) -> Option<Pte> {
        let mfn = access.mfn(page)?;
        Some(Pte(Pte::P).with_frame(mfn.raw().0))
    }

    /// The mappings of a page, as they are now. A lock.
    pub fn mappings(&self, page: Pfn) -> Vec<PvEntry> {
        self.pvs.entries(page)
    }

    /// Tries until nothing is left to do, each time in a hold and with an expectation of that hold.
    fn until_synced(
        &self,
        mmu: &impl Mmu<B>,
        page: Pfn,
        mut attempt: impl FnMut(Access<'_, B>, Pte) -> Result<Synced, PmapError>,
    ) -> Result<(), PmapError> {
        for turn in 0..TRIES {
            let hold = mmu.hold();
            let access = hold.access();
            let expected = self.expected(access, page).ok_or(PmapError::Nothing)?;
            mmu.preemption_point();
            if attempt(access, expected)? == Synced::Done {
                return Ok(());
            }
            drop(hold);
            B::relax(turn);
        }
        Err(PmapError::Mismatch)
    }

    /// Visits the mappings of a page, each under its pmap's lock, and replaces those that `change` has
    /// something for.
    fn each_mapping<'g>(
        &self,
        access: Access<'g, B>,
        page: Pfn,
        expected: Pte,
        change: Change<'g, '_>,
    ) -> Result<Synced, PmapError> {
        for at in self.pvs.entries(page) {
            let mapped = match self.mapped(access, page, at, expected) {
                Found::Mapped(mapped) => mapped,
                Found::Gone => continue,
                Found::Other => return Ok(Synced::Again),
            };
            if let Some(val) = change(mapped.slot.entry) {
                access.mmu_update(&[MmuUpdate::normal(mapped.slot.addr(), val)])?;
            }
        }
        Ok(Synced::Done)
    }

    /// Locks the pmap of a mapping, and looks again.
    fn mapped<'k, 'g>(
        &'k self,
        access: Access<'g, B>,
        page: Pfn,
        at: PvEntry,
        expected: Pte,
    ) -> Found<'k, 'g, B> {
        let locked = self.lock(at.pmap);
        if !self.pvs.contains(page, at) {
            return Found::Gone;
        }
        const COMPARED: u64 = Pte::FRAME | Pte::P;
        match self.slot(access, at.pmap, at.va) {
            Some(slot) if slot.entry.pte().0 & COMPARED == expected.0 => Found::Mapped(Mapped {
                slot,
                _locked: locked,
            }),
            _ => Found::Other,
        }
    }
}

/// What an entry of a page's list turned out to be.
enum Found<'k, 'g, B: Backend> {
    /// A mapping of it.
    Mapped(Mapped<'k, 'g, B>),
    /// Unmapped meanwhile.
    Gone,
    /// Listed, but the page-table entry is another.
    Other,
}
