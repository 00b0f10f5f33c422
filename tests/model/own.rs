//! The kernel's own mappings: made at once, or queued; no list of a page knows them.

use super::guest::{Guest, done};
use super::op::KERNEL_PLACES;
use super::reference::Mapping;
use proptest::prelude::*;
use ptom::pmap::{KVA, Range};
use ptom::xen::{Pfn, Va, Watched};

impl Guest<'_> {
    pub(crate) fn kenter(
        &mut self,
        at: usize,
        place: usize,
        page: Pfn,
        write: bool,
    ) -> Result<(), TestCaseError> {
        let number = KVA.page + KERNEL_PLACES[place];
        let (cpu, cache) = (&Watched::new(&self.cpus[at]), &mut self.caches[at]);
        let va = Va::of_page(number);
        done(self.kernel.kenter(cpu, cache, va, &[page], write))?;
        self.reference.build(number);
        self.reference
            .kernel
            .insert(number, Mapping { page, write });
        Ok(())
    }

    pub(crate) fn queue(
        &mut self,
        at: usize,
        place: usize,
        page: Pfn,
    ) -> Result<(), TestCaseError> {
        let number = KVA.page + KERNEL_PLACES[place];
        let (kernel, cache) = (&self.kernel, &mut self.caches[at]);
        let (cpu, queues) = (&Watched::new(&self.cpus[at]), kernel.queues());
        let va = Va::of_page(number);
        done(kernel.kenter_queued(cpu, cache, queues, va, &[page]))?;
        self.reference.build(number);
        let mapping = Mapping { page, write: true };
        self.reference.queued[at].push((number, mapping));
        Ok(())
    }

    pub(crate) fn update(&mut self, at: usize) -> Result<(), TestCaseError> {
        let cpu = &Watched::new(&self.cpus[at]);
        done(self.kernel.update(cpu, self.kernel.queues()))?;
        self.reference.flush(at);
        Ok(())
    }

    pub(crate) fn kremove(
        &mut self,
        at: usize,
        place: usize,
        pages: u64,
    ) -> Result<(), TestCaseError> {
        let page = KVA.page + KERNEL_PLACES[place];
        let cpu = &Watched::new(&self.cpus[at]);
        done(self.kernel.kremove(cpu, Range { page, pages }))?;
        let gone = page..page + pages;
        self.reference.kernel.retain(|page, _| !gone.contains(page));
        Ok(())
    }
}
