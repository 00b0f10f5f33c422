//! Stores and loads, by the processor.

use super::guest::Guest;
use super::op::PLACES;
use proptest::prelude::*;
use ptom::xen::{Mmu, Va};

/// Where in a page something is stored: the word that also stands for a whole page's contents.
pub(crate) const WORD: u64 = 0;

impl Guest<'_> {
    /// Stores by the processor: it faults where the model says that it must.
    pub(crate) fn store(&mut self, at: usize, page: u64, word: u64) -> Result<(), TestCaseError> {
        let stored = {
            let hold = self.cpus[at].hold();
            hold.access()
                .raw()
                .store(Va::of_page(page).canonical() + WORD, 8, word)
        };
        let loaded = self.loaded[at].and_then(|pmap| self.pmaps.iter().position(|p| *p == pmap));
        let mapping = self.reference.seen(loaded, page);
        let writable = mapping.filter(|mapping| mapping.write);
        prop_assert_eq!(stored.is_ok(), writable.is_some());
        if let Some(mapping) = writable {
            self.reference.contents.insert(mapping.page, word);
            // The kernel's own mappings are on no list, and leave no mark.
            if PLACES.contains(&page) {
                self.reference.dirty.insert(mapping.page);
            }
        }
        Ok(())
    }
}
