//! The recursive slots, which the tools cannot carry: cleared before a save, restored after.
//!
//! Visits every live pmap by the list, reading nothing but its root's PFN (`pm_pdirpa`, which is
//! valid where a mapping of the root may not be), and queues one update a pmap; a full queue is
//! flushed. The kernel's own root has none, and is on no list.
//!
//! Source: NetBSD `pmap_xen_suspend`, `pmap_unmap_recursive_entries`.

use super::kernel::Kernel;
use super::{PmapError, RECURSIVE_SLOT};
use crate::backend::Backend;
use crate::xen::{Access, Mfn, Mmu, MmuUpdate, NewPte, Pte, UpdateQueue};

impl<B: Backend> Kernel<B> {
    /// The entry by which a root names itself: read-only, as the linear rule demands.
    pub(super) fn recursive(root: Mfn<'_>) -> NewPte<'_> {
        NewPte::map(root, Pte::P | Pte::US | Pte::A)
    }

    /// Clears the recursive slot of every live pmap.
    ///
    /// # Errors
    /// Xen's.
    pub fn clear_recursive(&self, mmu: &impl Mmu<B>) -> Result<(), PmapError> {
        self.each_recursive(mmu.hold().access(), |_| NewPte::ZERO)
    }

    /// Sets it again, from the root's PFN.
    ///
    /// # Errors
    /// Xen's.
    pub fn restore_recursive(&self, mmu: &impl Mmu<B>) -> Result<(), PmapError> {
        self.each_recursive(mmu.hold().access(), Self::recursive)
    }

    fn each_recursive<'g>(
        &self,
        access: Access<'g, B>,
        mut entry: impl FnMut(Mfn<'g>) -> NewPte<'g>,
    ) -> Result<(), PmapError> {
        let mut queue = UpdateQueue::new(access);
        let mut queued = Ok(());
        self.each_live(|pmap| {
            if let (Ok(()), Some(mfn)) = (queued, access.mfn(self.root(pmap))) {
                let slot = mfn.entry(RECURSIVE_SLOT);
                queued = queue.push(MmuUpdate::normal(slot, entry(mfn)));
            }
        });
        queued?;
        Ok(queue.flush()?)
    }
}
