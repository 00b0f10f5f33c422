//! The model: plain maps, and nothing of MFNs, tables or caches.

use ptom::pmap::KVA;
use ptom::xen::Pfn;
use std::collections::{BTreeMap, BTreeSet};

/// A page that is mapped.
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
    /// The kernel's own part, which all processes share.
    pub(crate) kernel: Space,
    /// By vCPU: what waits in its queue.
    pub(crate) queued: [Vec<(u64, Mapping)>; 2],
    /// The kernel's tables, by level and first page: those that were ever needed.
    pub(crate) tables: BTreeSet<(u32, u64)>,
    /// The word of each page that was ever stored to.
    pub(crate) contents: BTreeMap<Pfn, u64>,
    /// Pages that were written to through a process's mapping.
    pub(crate) dirty: BTreeSet<Pfn>,
    /// Pages without a frame.
    pub(crate) ballooned: u64,
    /// Hypercalls that Xen had to refuse.
    pub(crate) refused: u64,
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

    pub(crate) fn page_remove(&mut self, page: Pfn) {
        for space in &mut self.processes {
            space.retain(|_, mapping| mapping.page != page);
        }
    }

    /// The tables over a page of the kernel's are there from now on. The first L2 always was.
    pub(crate) fn build(&mut self, page: u64) {
        self.tables.insert((1, page >> 9));
        if page >> 18 != KVA.page >> 18 {
            self.tables.insert((2, page >> 18));
        }
    }

    /// What waits in a vCPU's queue is done.
    pub(crate) fn flush(&mut self, vcpu: usize) {
        self.kernel.extend(self.queued[vcpu].drain(..));
    }

    /// What a vCPU finds at a page that has that process loaded, or none.
    pub(crate) fn seen(&self, process: Option<usize>, page: u64) -> Option<Mapping> {
        let own = self.kernel.get(&page);
        own.or_else(|| self.processes[process?].get(&page)).copied()
    }

    /// Whether something maps a page, or waits to.
    pub(crate) fn is_mapped(&self, page: Pfn) -> bool {
        let queued = self.queued.iter().flatten().map(|(_, mapping)| mapping);
        let spaces = self.processes.iter().chain([&self.kernel]);
        let mut mappings = spaces.flat_map(Space::values).chain(queued);
        mappings.any(|mapping| mapping.page == page)
    }

    /// Where processes map a page: which, and at which page number.
    pub(crate) fn mappings(&self, page: Pfn) -> impl Iterator<Item = (usize, u64)> {
        let spaces = self.processes.iter().enumerate();
        spaces.flat_map(move |(process, space)| {
            let of_page = space
                .iter()
                .filter(move |(_, mapping)| mapping.page == page);
            of_page.map(move |(at, _)| (process, *at))
        })
    }

    /// The word of a page.
    pub(crate) fn word(&self, page: Pfn) -> u64 {
        self.contents.get(&page).copied().unwrap_or(0)
    }
}
