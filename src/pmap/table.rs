//! Walking a pmap's tables from its root, and building what is missing.

use super::alternate::Alternate;
use super::kernel::Kernel;
use super::pages::PageCache;
use super::{PmapError, PmapId};
use crate::backend::Backend;
use crate::xen::{Access, Mfn, MmuUpdate, NewPte, Pfn, Pte, PteAddr, ReadPte, Va};

/// Flags of an entry that names a table.
pub(super) const TABLE: u64 = Pte::P | Pte::RW | Pte::US | Pte::A;

/// An L1 entry, found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot<'g> {
    pub(super) table: Mfn<'g>,
    pub(super) index: usize,
    pub(super) entry: ReadPte<'g>,
}

impl<'g> Slot<'g> {
    pub(super) fn addr(&self) -> PteAddr<'g> {
        self.table.entry(self.index)
    }
}

impl<B: Backend> Kernel<B> {
    /// The table of `level` that translates `va` in a pmap, if it is there.
    #[inline]
    pub(super) fn table<'g>(
        &self,
        access: Access<'g, B>,
        pmap: PmapId,
        va: Va,
        level: u32,
    ) -> Option<Mfn<'g>> {
        let root = access.mfn(self.root(pmap))?;
        // Asked once, so that the walk is one without a loop.
        match self.levels {
            4 => descend::<4, B>(access, root, va, level),
            _ => descend::<3, B>(access, root, va, level),
        }
    }

    /// The L1 entry of `va` in a pmap, if its table is there.
    #[inline]
    pub(super) fn slot<'g>(&self, access: Access<'g, B>, pmap: PmapId, va: Va) -> Option<Slot<'g>> {
        let table = self.table(access, pmap, va, 1)?;
        let index = va.index(1);
        let entry = access.read(table, index);
        Some(Slot {
            table,
            index,
            entry,
        })
    }

    /// The L1 entry of `va` in a locked pmap, its tables made where they are missing.
    pub(super) fn slot_or_build<'g>(
        &self,
        access: Access<'g, B>,
        cache: &mut PageCache,
        pmap: PmapId,
        va: Va,
    ) -> Result<Slot<'g>, PmapError> {
        let mut table = access.mfn(self.root(pmap)).ok_or(PmapError::Nothing)?;
        for level in (2..=self.levels).rev() {
            let index = va.index(level);
            table = match access.read(table, index).mfn() {
                Some(below) => below,
                None => self.build(access, cache, table, index)?,
            };
        }
        let index = va.index(1);
        let entry = access.read(table, index);
        Ok(Slot {
            table,
            index,
            entry,
        })
    }

    /// A new, empty table under entry `index` of `table`.
    fn build<'g>(
        &self,
        access: Access<'g, B>,
        cache: &mut PageCache,
        table: Mfn<'g>,
        index: usize,
    ) -> Result<Mfn<'g>, PmapError> {
        let page = self.take_for_table(access, cache)?;
        access.zero(page);
        let below = access.mfn(page).ok_or(PmapError::Nothing)?;
        let update = MmuUpdate::normal(table.entry(index), NewPte::map(below, TABLE));
        if let Err(refused) = access.mmu_update(&[update]) {
            self.pages.give(cache, page);
            return Err(refused.into());
        }
        if let Some(above) = access.pfn(table) {
            self.pages.entries_add(above, 1);
        }
        self.pages.entries_reset(page);
        Ok(below)
    }

    /// Entries of `table` in a locked pmap went away: lets it go if it is empty now, and those above
    /// it that become so.
    pub(super) fn entries_gone(
        &self,
        access: Access<'_, B>,
        cache: &mut PageCache,
        pmap: PmapId,
        va: Va,
        gone: u32,
    ) -> Result<(), PmapError> {
        let mut gone = gone;
        for level in 1..self.layout.directory {
            let Some(table) = self.table(access, pmap, va, level) else {
                return Ok(());
            };
            let Some(page) = access.pfn(table) else {
                return Ok(());
            };
            if self.pages.entries_add(page, -(gone as i32)) > 0 {
                return Ok(());
            }
            let Some(above) = self.table(access, pmap, va, level + 1) else {
                return Ok(());
            };
            let entry = above.entry(va.index(level + 1));
            access.mmu_update(&[MmuUpdate::normal(entry, NewPte::ZERO)])?;
            if self.alternate != Alternate::Direct {
                // It was in view.
                access.flush_all()?;
            }
            access.zero(page);
            self.pages.give(cache, page);
            gone = 1;
        }
        Ok(())
    }

    /// The PFN of the table or page that an entry names.
    pub(super) fn named(access: Access<'_, B>, entry: ReadPte<'_>) -> Option<Pfn> {
        access.guest().host().m2p(entry.pte().mfn())
    }
}

/// The table of `level` that translates `va` under a root of level `TOP`, if it is there.
#[inline]
fn descend<'g, const TOP: u32, B: Backend>(
    access: Access<'g, B>,
    root: Mfn<'g>,
    va: Va,
    level: u32,
) -> Option<Mfn<'g>> {
    let mut table = root;
    for above in (level + 1..=TOP).rev() {
        table = access.read(table, va.index(above)).mfn()?;
    }
    Some(table)
}
