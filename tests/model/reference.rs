//! The model: plain maps, and nothing of MFNs, tables or caches.

use ptom::xen::Pfn;
use std::collections::BTreeMap;

/// A page of a process's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mapping {
    pub(crate) page: Pfn,
    pub(crate) write: bool,
}

/// An address space, by page number.
pub(crate) type Space = BTreeMap<u64, Mapping>;

/// All there is to say of the guest.
#[derive(Debug, Default)]
pub(crate) struct Reference {
    pub(crate) processes: Vec<Space>,
    /// The first word of each page that was ever stored to.
    pub(crate) contents: BTreeMap<Pfn, u64>,
    /// Pages without a frame.
    pub(crate) ballooned: u64,
}

impl Reference {
    /// `fork`: both map the same, neither may write.
    pub(crate) fn fork(&mut self, parent: usize) {
        for mapping in self.processes[parent].values_mut() {
            mapping.write = false;
        }
        self.processes.push(self.processes[parent].clone());
    }

    pub(crate) fn remove(&mut self, process: usize, first: u64, pages: u64) {
        self.processes[process].retain(|page, _| !(first..first + pages).contains(page));
    }

    pub(crate) fn protect(&mut self, process: usize, first: u64, pages: u64, write: bool) {
        let range = self.processes[process].range_mut(first..first + pages);
        range.for_each(|(_, mapping)| mapping.write = write);
    }

    pub(crate) fn is_mapped(&self, page: Pfn) -> bool {
        let mut mappings = self.processes.iter().flat_map(Space::values);
        mappings.any(|mapping| mapping.page == page)
    }

    /// The first word of a page.
    pub(crate) fn word(&self, page: Pfn) -> u64 {
        self.contents.get(&page).copied().unwrap_or(0)
    }
}
