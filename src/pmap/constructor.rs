//! What a constructed root is: made from a page (`pmap_pdp_ctor`), and made so again when its pmap ends.
//!
//! Source: NetBSD `pmap_pdp_ctor`, `pmap_create`, x86/pmap.c and xen_pmap.c.

use super::kernel::Kernel;
use super::pages::PageCache;
use super::pdp_cache::Cached;
use super::{ALTERNATE_SLOT, KERNEL_SLOT, PmapError, RECURSIVE_SLOT};
use crate::backend::Backend;
use crate::xen::{Access, Mfn, Mmu, MmuUpdate, NewPte, Pfn, Pte};
use alloc::vec::Vec;

impl<B: Backend> Kernel<B> {
    /// Pins a page as a root (`pmap_pdp_ctor`).
    pub(super) fn construct(
        &self,
        mmu: &impl Mmu<B>,
        access: Access<'_, B>,
        cache: &mut PageCache,
    ) -> Result<Pfn, PmapError> {
        let root = self.take_for_table(access, cache)?;
        access.zero(root);
        self.pages.entries_reset(root);
        let pinned = self.pin_root(mmu, access, root);
        match pinned {
            Ok(()) => self.pdp_cache.enlist(root),
            Err(_) => self.pages.give(cache, root),
        }
        pinned.map(|()| root)
    }

    fn pin_root(
        &self,
        mmu: &impl Mmu<B>,
        access: Access<'_, B>,
        root: Pfn,
    ) -> Result<(), PmapError> {
        let mfn = access.mfn(root).ok_or(PmapError::Nothing)?;
        let kernel = access.mfn(self.kernel_l3).ok_or(PmapError::Nothing)?;
        mmu.preemption_point();
        access.pin(mfn, 4)?;
        access.mmu_update(&[
            MmuUpdate::normal(mfn.entry(RECURSIVE_SLOT), Self::recursive(mfn)),
            MmuUpdate::normal(
                mfn.entry(KERNEL_SLOT),
                NewPte::map(kernel, Pte::P | Pte::RW | Pte::US | Pte::A),
            ),
        ])?;
        Ok(())
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
        let mut updates = Vec::new();
        access.each_present(root, |index, _| {
            let val = match index {
                0..RECURSIVE_SLOT => Some(NewPte::ZERO),
                ALTERNATE_SLOT if self.pdp_cache.slots != Cached::Window => Some(NewPte::ZERO),
                RECURSIVE_SLOT if self.pdp_cache.slots == Cached::NotPresent => {
                    Some(Self::not_present(root))
                }
                _ => None,
            };
            updates.extend(val.map(|val| MmuUpdate::normal(root.entry(index), val)));
        });
        updates
    }
}
