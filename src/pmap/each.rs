//! Every table, and every page, of a pmap.

use super::kernel::Kernel;
use super::{PmapId, RECURSIVE_SLOT};
use crate::backend::Backend;
use crate::xen::{Access, Mfn, Pfn, ReadPte, Va};

impl<B: Backend> Kernel<B> {
    /// Calls `found` with level, address and PFN of each table below a root, lower ones first.
    pub(super) fn each_table(
        &self,
        access: Access<'_, B>,
        pmap: PmapId,
        mut found: impl FnMut(u32, Va, Pfn),
    ) {
        fn below<B: Backend>(
            access: Access<'_, B>,
            table: Mfn<'_>,
            level: u32,
            base: u64,
            found: &mut impl FnMut(u32, Va, Pfn),
        ) {
            let process = 0..if level == 4 { RECURSIVE_SLOT } else { 512 };
            access.each_present(table, |index, entry| {
                if !process.contains(&index) {
                    return;
                }
                let va = base | (index as u64) << (12 + 9 * (level - 1));
                if let (Some(mfn), Some(pfn)) = (entry.mfn(), Kernel::named(access, entry)) {
                    if level > 2 {
                        below(access, mfn, level - 1, va, found);
                    }
                    found(level - 1, Va(va), pfn);
                }
            });
        }
        if let Some(root) = access.mfn(self.root(pmap)) {
            below(access, root, 4, 0, &mut found);
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
