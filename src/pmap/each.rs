//! Every table, and every page, of a pmap.

use super::PmapId;
use super::kernel::Kernel;
use crate::backend::Backend;
use crate::xen::{Access, Mfn, Pfn, ReadPte, Va};

impl<B: Backend> Kernel<B> {
    /// Calls `found` with level, address and PFN of each table below a directory, lower ones first.
    pub(super) fn each_table(
        &self,
        access: Access<'_, B>,
        pmap: PmapId,
        mut found: impl FnMut(u32, Va, Pfn),
    ) {
        fn below<B: Backend>(
            kernel: &Kernel<B>,
            access: Access<'_, B>,
            table: Mfn<'_>,
            level: u32,
            base: Va,
            found: &mut impl FnMut(u32, Va, Pfn),
        ) {
            access.each_present(table, |index, entry| {
                let va = Va(base.0 | (index as u64) << (12 + 9 * (level - 1)));
                if va.page() >= kernel.layout.process_end() {
                    return;
                }
                if let (Some(mfn), Some(pfn)) = (entry.mfn(), Kernel::named(access, entry)) {
                    if level > 2 {
                        below(kernel, access, mfn, level - 1, va, found);
                    }
                    if level <= kernel.layout.directory {
                        found(level - 1, va, pfn);
                    }
                }
            });
        }
        if let Some(root) = access.mfn(self.root(pmap)) {
            below(self, access, root, self.levels, Va(0), &mut found);
        }
    }

    /// Calls `found` with address and entry of each page that a pmap maps.
    pub(super) fn each_page<'g>(
        &self,
        access: Access<'g, B>,
        pmap: PmapId,
        mut found: impl FnMut(Va, ReadPte<'g>),
    ) {
        self.each_table(access, pmap, |level, base, table| {
            if level == 1 {
                Self::each_entry(access, base, table, &mut found);
            }
        });
    }

    /// The same for one L1 table, whose first address is `base`.
    pub(super) fn each_entry<'g>(
        access: Access<'g, B>,
        base: Va,
        table: Pfn,
        found: &mut impl FnMut(Va, ReadPte<'g>),
    ) {
        if let Some(table) = access.mfn(table) {
            access.each_present(table, |index, entry| {
                found(Va::of_page(base.page() + index as u64), entry);
            });
        }
    }
}
