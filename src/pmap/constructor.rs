//! What a constructed root is: made from a page (`pmap_pdp_ctor`), and made so again when its pmap ends.
//!
//! Source: NetBSD `pmap_pdp_ctor`, `pmap_create`, x86/pmap.c and xen_pmap.c.

use super::kernel::Kernel;
use super::pages::PageCache;
use super::pdp_cache::Cached;
use super::{PmapError, RECURSIVE_SLOT, directory};
use crate::backend::Backend;
use crate::xen::number::ENTRIES;
use crate::xen::{Access, Mfn, Mmu, MmuUpdate, NewPte, Pfn};
use alloc::vec::Vec;

impl<B: Backend> Kernel<B> {
    /// Pins a page as a root, with its directory (`pmap_pdp_ctor`).
    pub(super) fn construct(
        &self,
        mmu: &impl Mmu<B>,
        access: Access<'_, B>,
        cache: &mut PageCache,
    ) -> Result<Pfn, PmapError> {
        let mut pages = Vec::with_capacity(self.layout.root_pages());
        let made = self.make_root(mmu, access, cache, &mut pages);
        match made {
            Ok(root) => self.pdp_cache.enlist(root),
            Err(_) => pages.iter().for_each(|page| self.pages.give(cache, *page)),
        }
        made
    }

    fn make_root(
        &self,
        mmu: &impl Mmu<B>,
        access: Access<'_, B>,
        cache: &mut PageCache,
        pages: &mut Vec<Pfn>,
    ) -> Result<Pfn, PmapError> {
        for _ in 0..self.layout.root_pages() {
            let page = self.take_for_table(access, cache)?;
            access.zero(page);
            self.pages.entries_reset(page);
            pages.push(page);
        }
        // All is translated before the first use.
        let frames = directory::frames(access, pages)?;
        let directory = self.directory_of(&frames);
        let mut updates = self.own_slots(directory);
        updates.extend(self.kernel_half(access, directory)?);
        mmu.preemption_point();
        self.pin_pages(access, &frames)?;
        access.mmu_update(&updates)?;
        Ok(pages[0])
    }

    /// Makes the recursive slot present of a cached root whose PFN is computed from that very slot
    /// (`pm_pdirpa` in `pmap_create`).
    pub(super) fn enter_itself(
        &self,
        mmu: &impl Mmu<B>,
        access: Access<'_, B>,
        cached: Pfn,
    ) -> Result<Pfn, PmapError> {
        let slot = access.mfn(cached).ok_or(PmapError::Nothing)?;
        let slot = access.read(slot, RECURSIVE_SLOT);
        let root = Self::named(access, slot).ok_or(PmapError::Nothing)?;
        let mfn = access.mfn(root).ok_or(PmapError::Nothing)?;
        mmu.preemption_point();
        let own = MmuUpdate::normal(mfn.entry(RECURSIVE_SLOT), Self::recursive(mfn));
        access.mmu_update(&[own])?;
        Ok(root)
    }

    /// The updates that leave a root as its constructor did: Xen then lets all below it go.
    pub(super) fn emptied<'g>(&self, access: Access<'g, B>, root: Mfn<'g>) -> Vec<MmuUpdate<'g>> {
        let layout = &self.layout;
        let windows = layout.alternate..layout.alternate + layout.pages;
        let keeps_windows = self.pdp_cache.slots == Cached::Window;
        let mut updates = Vec::new();
        for at in 0..layout.pages {
            let Some(table) = self.directory(access, root, at) else {
                continue;
            };
            access.each_present(table, |index, _| {
                let val = match at * ENTRIES + index {
                    slot if slot < layout.recursive => Some(NewPte::ZERO),
                    slot if windows.contains(&slot) && !keeps_windows => Some(NewPte::ZERO),
                    slot if slot == layout.recursive
                        && self.pdp_cache.slots == Cached::NotPresent =>
                    {
                        Some(Self::not_present(root))
                    }
                    _ => None,
                };
                updates.extend(val.map(|val| MmuUpdate::normal(table.entry(index), val)));
            });
        }
        updates
    }
}
