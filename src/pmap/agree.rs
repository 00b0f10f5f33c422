//! Whether the pages' lists and the page tables say the same: for tests, and for whoever doubts.

use super::PmapId;
use super::kernel::Kernel;
use super::pv::PvEntry;
use crate::backend::Backend;
use crate::xen::{Mmu, Pfn};
use alloc::vec::Vec;

impl<B: Backend> Kernel<B> {
    /// How far the lists of all pages and the tables of all pmaps are apart: mappings that are not
    /// listed, and list entries without a mapping. 0 unless a control ran. To be called while nobody
    /// changes either; walks everything.
    pub fn pv_disagreements(&self, mmu: &impl Mmu<B>) -> u64 {
        let hold = mmu.hold();
        let access = hold.access();
        let mut live: Vec<PmapId> = Vec::new();
        self.each_live(|pmap| live.push(pmap));
        let (mut listed, mut unlisted) = (0, 0);
        for pmap in live {
            self.each_page(access, pmap, |va, entry| {
                let page = access.page_of(entry);
                let at = PvEntry::new(pmap, va);
                match page.is_some_and(|page| self.pvs.contains(page, at)) {
                    true => listed += 1,
                    false => unlisted += 1,
                }
            });
        }
        let pages = (0..access.guest().domain().pages()).map(Pfn);
        let entries: u64 = pages.map(|page| self.pvs.entries(page).len() as u64).sum();
        unlisted + entries.saturating_sub(listed)
    }
}
