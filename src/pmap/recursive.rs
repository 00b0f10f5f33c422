//! Slots of constructed roots that the tools cannot carry: emptied before a save, filled after.
//!
//! A present entry by which a root names itself is carried (`docs/recursive-slot.md` has the runs that
//! show it, and what is different with PAE), so where cached roots are [`Cached::SelfEntry`] there is
//! nothing to do, however many pmaps there are. Elsewhere each constructed root is looked at, and one
//! update queued for each slot that must be empty; a full queue is flushed. Nothing is read but roots, by
//! their PFNs (`pm_pdirpa`, which is valid where a mapping of the root may not be).
//!
//! Source: NetBSD `pmap_xen_suspend`, `pmap_unmap_recursive_entries`.

use super::kernel::Kernel;
use super::pdp_cache::Cached;
use super::{ALTERNATE_SLOT, PmapError, RECURSIVE_SLOT};
use crate::backend::Backend;
use crate::xen::{Access, Mfn, Mmu, MmuUpdate, NewPte, Pte, UpdateQueue};

impl<B: Backend> Kernel<B> {
    /// The entry by which a root names itself: read-only, as the linear rule demands.
    pub(super) fn recursive(root: Mfn<'_>) -> NewPte<'_> {
        NewPte::map(root, Pte::P | Pte::US | Pte::A)
    }

    /// The same as NetBSD's constructor leaves it.
    pub(super) fn not_present(root: Mfn<'_>) -> NewPte<'_> {
        NewPte::map(root, Pte::US)
    }

    /// Empties the recursive slot of each constructed root in which it is not present but holds an MFN.
    /// Costs nothing in a kernel that leaves none so.
    ///
    /// # Errors
    /// Xen's.
    pub fn clear_recursive(&self, mmu: &impl Mmu<B>) -> Result<(), PmapError> {
        if self.pdp_cache.slots != Cached::NotPresent {
            return Ok(());
        }
        let held = |entry: Pte| !entry.present() && entry != Pte(0);
        self.fill_slots(mmu.hold().access(), RECURSIVE_SLOT, held, |_| NewPte::ZERO)
    }

    /// Fills it again, from the root's PFN.
    ///
    /// # Errors
    /// Xen's.
    pub fn restore_recursive(&self, mmu: &impl Mmu<B>) -> Result<(), PmapError> {
        if self.pdp_cache.slots != Cached::NotPresent {
            return Ok(());
        }
        let emptied = |entry| entry == Pte(0);
        self.fill_slots(
            mmu.hold().access(),
            RECURSIVE_SLOT,
            emptied,
            Self::not_present,
        )
    }

    /// Empties the alternate slot of each constructed root. Costs nothing in a kernel that empties those
    /// of cached ones.
    pub(super) fn clear_cached_windows(&self, mmu: &impl Mmu<B>) -> Result<(), PmapError> {
        if self.pdp_cache.slots != Cached::Window {
            return Ok(());
        }
        self.fill_slots(mmu.hold().access(), ALTERNATE_SLOT, Pte::present, |_| {
            NewPte::ZERO
        })
    }

    /// Writes a slot of each constructed root where `which` says so of what is in it.
    fn fill_slots<'g>(
        &self,
        access: Access<'g, B>,
        slot: usize,
        which: impl Fn(Pte) -> bool,
        entry: impl Fn(Mfn<'g>) -> NewPte<'g>,
    ) -> Result<(), PmapError> {
        let mut queue = UpdateQueue::new(access);
        let mut queued = Ok(());
        self.each_constructed(|root| {
            if let (Ok(()), Some(mfn)) = (queued, access.mfn(root))
                && which(access.read(mfn, slot).pte())
            {
                queued = queue.push(MmuUpdate::normal(mfn.entry(slot), entry(mfn)));
            }
        });
        queued?;
        Ok(queue.flush()?)
    }
}
