//! The kernel's own root, and the tables of its half, from the first pages of the guest.

use super::kernel::Kernel;
use super::{PmapError, directory};
use crate::backend::Backend;
use crate::xen::{Access, Guest, MmuUpdate, NewPte, Pfn};
use alloc::vec::Vec;

impl<B: Backend> Kernel<B> {
    /// Makes the kernel's own root from the first pages that the guest does not use itself:
    /// [`Layout::first_pages`](super::Layout::first_pages) of them.
    pub(super) fn map_itself(&mut self, access: Access<'_, B>) -> Result<(), PmapError> {
        let mut unused = (Guest::<B>::OWN_PAGES..).map(Pfn);
        let mut take = |count| -> Vec<Pfn> {
            let pages: Vec<Pfn> = unused.by_ref().take(count).collect();
            pages.iter().for_each(|page| access.zero(*page));
            pages
        };
        let root = take(self.layout.root_pages());
        self.kernel_tables = take(self.layout.kernel_tables);
        // The way down to the first L1 table.
        let mut way = alloc::vec![self.kernel_tables[0]];
        way.extend(take(self.layout.directory as usize - 2));
        let frames = directory::frames(access, &root)?;
        self.pin_pages(access, &frames)?;
        access.mmu_update(&self.kernel_half(access, self.directory_of(&frames))?)?;
        for pair in way.windows(2) {
            Self::link(access, pair[0], 0, pair[1], super::table::TABLE)?;
        }
        self.set_root(self.own(), root[0]);
        Ok(())
    }

    /// Makes entry `index` of `table` name `child`.
    fn link(
        access: Access<'_, B>,
        table: Pfn,
        index: usize,
        child: Pfn,
        flags: u64,
    ) -> Result<(), PmapError> {
        let ptr = access.mfn(table).ok_or(PmapError::Nothing)?.entry(index);
        let val = NewPte::map(access.mfn(child).ok_or(PmapError::Nothing)?, flags);
        access.mmu_update(&[MmuUpdate::normal(ptr, val)])?;
        Ok(())
    }
}
