//! The slots of constructed roots, where the tools cannot carry them: emptied before a save, filled after.
//!
//! Each constructed root is looked at, and one update queued for each slot that must change; a full queue
//! is flushed. Nothing is read but roots and their directories, by their PFNs (`pm_pdirpa`, which is valid where a mapping of
//! the root may not be).
//!
//! A present entry by which a root names itself *is* carried (`docs/recursive-slot.md` has the runs that
//! show it, and what is different with PAE). So where cached roots are [`Cached::SelfEntry`] a save leaves
//! the recursive slots alone, and costs the same however many pmaps there are.
//!
//! Source: NetBSD `pmap_xen_suspend`, `pmap_unmap_recursive_entries`.

use super::PmapError;
use super::kernel::Kernel;
use super::pdp_cache::Cached;
use crate::backend::Backend;
use crate::xen::{Access, Mfn, Mmu, MmuUpdate, NewPte, Pfn, Pte, UpdateQueue};

impl<B: Backend> Kernel<B> {
    /// The entry by which a directory names a page of itself or another: read-only, as the linear rule demands.
    pub(super) fn recursive(root: Mfn<'_>) -> NewPte<'_> {
        NewPte::map(root, Pte::P | Pte::US | Pte::A)
    }

    /// The same as NetBSD's constructor leaves it.
    pub(super) fn not_present(root: Mfn<'_>) -> NewPte<'_> {
        NewPte::map(root, Pte::US)
    }

    /// Whether the tools carry the recursive slots of all roots as they are, cached ones included: those of
    /// a directory of one page, if they are present.
    pub fn carries_recursive(&self) -> bool {
        self.layout.pages == 1 && self.pdp_cache.slots != Cached::NotPresent
    }

    /// Empties the recursive slot of every constructed root, present or not.
    ///
    /// # Errors
    /// Xen's.
    pub fn clear_recursive(&self, mmu: &impl Mmu<B>) -> Result<(), PmapError> {
        let full = |entry| entry != Pte(0);
        let hold = mmu.hold();
        self.fill_slots(hold.access(), self.layout.recursive, full, |_, _| {
            NewPte::ZERO
        })
    }

    /// Fills it again where it is empty, from the root's PFN: as its pmap has it, or its constructor.
    ///
    /// # Errors
    /// Xen's.
    pub fn restore_recursive(&self, mmu: &impl Mmu<B>) -> Result<(), PmapError> {
        let empty = |entry| entry == Pte(0);
        let entry = |root, mfn| match self.pages.owner(root) {
            None if self.pdp_cache.slots == Cached::NotPresent => Self::not_present(mfn),
            _ => Self::recursive(mfn),
        };
        let hold = mmu.hold();
        self.fill_slots(hold.access(), self.layout.recursive, empty, entry)
    }

    /// Empties the alternate slot of every constructed root. Costs nothing in a kernel that empties those
    /// of cached ones.
    pub(super) fn clear_cached_windows(&self, mmu: &impl Mmu<B>) -> Result<(), PmapError> {
        if self.pdp_cache.slots != Cached::Window {
            return Ok(());
        }
        let hold = mmu.hold();
        let zero = |_, _| NewPte::ZERO;
        self.fill_slots(hold.access(), self.layout.alternate, Pte::present, zero)
    }

    /// Writes the slots of each constructed root from `first` on, one for each page of its directory, where
    /// `which` says so of what is in it.
    fn fill_slots<'g>(
        &self,
        access: Access<'g, B>,
        first: usize,
        which: impl Fn(Pte) -> bool,
        entry: impl Fn(Pfn, Mfn<'g>) -> NewPte<'g>,
    ) -> Result<(), PmapError> {
        let mut queue = UpdateQueue::new(access);
        let mut queued = Ok(());
        self.each_constructed(|root| {
            let Some(mfn) = access.mfn(root) else { return };
            for at in 0..self.layout.pages {
                if let (Ok(()), Some((table, index)), Some(page)) = (
                    queued,
                    self.place(access, mfn, first + at),
                    self.directory(access, mfn, at),
                ) && which(access.read(table, index).pte())
                {
                    queued = queue.push(MmuUpdate::normal(table.entry(index), entry(root, page)));
                }
            }
        });
        queued?;
        Ok(queue.flush()?)
    }
}
