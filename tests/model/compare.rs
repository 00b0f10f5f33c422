//! The comparison: what the guest says against what the model says, and whether the machine is sound.

use super::PAGES;
use super::guest::{Guest, done};
use super::op::{KERNEL_PLACES, PLACES};
use super::store::WORD;
use proptest::prelude::*;
use ptom::pmap::{KVA, PvEntry, User};
use ptom::xen::{Mmu, Pte, RawMfn, Va};

/// Pages that a guest has for itself, the kernel's first tables, and the P2M with its lists.
const NOT_FREE: u64 = 3 + 4 + 2 + PAGES.div_ceil(512);

impl Guest<'_> {
    /// Looks everything up on one vCPU; with another process last each time, as a lazy slot remembers it.
    pub(crate) fn compare(&self, at: usize, number: usize) -> Result<(), TestCaseError> {
        self.compare_kernel(at)?;
        self.compare_pages(at)?;
        let (cpu, count) = (&self.cpus[at], self.pmaps.len());
        for process in (0..count).map(|process| (process + number) % count) {
            let pmap = self.pmaps[process];
            let space = &self.reference.processes[process];
            // One visit of each: another would have a lazy slot flushed, and hide that it must be.
            for page in KERNEL_PLACES.map(|place| KVA.page + place) {
                let found = self.kernel.extract(cpu, pmap, Va::of_page(page));
                let mapping = self.reference.kernel.get(&page);
                prop_assert_eq!(found, mapping.map(|m| m.page), "{:?} {:x}", pmap, page);
            }
            for page in PLACES {
                let (va, mapping) = (Va::of_page(page), space.get(&page));
                let found = self.kernel.extract(cpu, pmap, va);
                prop_assert_eq!(found, mapping.map(|m| m.page), "{:?} {:x}", pmap, page);
                let hold = cpu.hold();
                let access = hold.access();
                let mut window = done(self.kernel.map_ptes(access, pmap, User::Extract))?;
                let entry = window.entry(va).map(|entry| entry.pte());
                done(window.unmap())?;
                let entry = entry.filter(|pte| pte.present());
                let write = entry.map(|pte| pte.writable());
                prop_assert_eq!(write, mapping.map(|m| m.write), "{:?} {:x}", pmap, page);
                if self.loaded[at] == Some(pmap) {
                    let word = access.raw().load(va.canonical() + WORD).ok();
                    let expected = mapping.map(|m| self.reference.word(m.page));
                    prop_assert_eq!(word, expected, "contents of {:x}", page);
                }
            }
        }
        prop_assert_eq!(self.kernel.ballooned(), self.reference.ballooned);
        self.sound()
    }

    /// What the kernel's own part contains, whichever process is loaded.
    fn compare_kernel(&self, at: usize) -> Result<(), TestCaseError> {
        let cpu = &self.cpus[at];
        for page in KERNEL_PLACES.map(|place| KVA.page + place) {
            let (va, mapping) = (Va::of_page(page), self.reference.kernel.get(&page));
            let word = cpu.hold().access().raw().load(va.canonical() + WORD).ok();
            let expected = mapping.map(|m| self.reference.word(m.page));
            prop_assert_eq!(word, expected, "contents of the kernel's {:x}", page);
        }
        Ok(())
    }

    /// Each page: what it holds, who maps it by its list, and whether it was written to.
    fn compare_pages(&self, at: usize) -> Result<(), TestCaseError> {
        let cpu = &self.cpus[at];
        for page in &self.frames {
            let contents = cpu.hold().access().contents(*page);
            prop_assert_eq!(contents, Some(self.reference.word(*page)), "{:?}", page);
            let mut listed = self.kernel.mappings(*page);
            listed.sort();
            let mappings = self.reference.mappings(*page);
            let mut expected: Vec<_> = mappings
                .map(|(process, number)| PvEntry {
                    pmap: self.pmaps[process],
                    va: Va::of_page(number),
                })
                .collect();
            expected.sort();
            prop_assert_eq!(listed, expected, "{:?}", page);
            let dirty = done(self.kernel.test_attrs(cpu, *page, Pte::D))?;
            prop_assert_eq!(dirty, self.reference.dirty.contains(page), "{:?}", page);
        }
        Ok(())
    }

    fn sound(&self) -> Result<(), TestCaseError> {
        let guest = self.machine.guest();
        prop_assert_eq!(guest.broken(), []);
        prop_assert_eq!(self.kernel.broken(&self.cpus[0]), []);
        let verdicts = guest.verdicts();
        prop_assert_eq!(verdicts.refused, self.reference.refused);
        let wrong = [
            verdicts.stale_uses,
            verdicts.wrong_frame,
            verdicts.raced_reads,
        ];
        prop_assert_eq!(wrong, [0; 3]);
        prop_assert_eq!(self.kernel.pv_disagreements(&self.cpus[0]), 0);
        // Seen from outside a hold, what is constructed is what is pinned; and the kernel's own root.
        let hold = self.cpus[0].hold();
        let mfn = |page| hold.mfn(page).map(|mfn| mfn.raw());
        let mut constructed = vec![mfn(self.kernel.root(self.kernel.own()))];
        self.kernel
            .each_constructed(|root| constructed.push(mfn(root)));
        constructed.sort();
        let host = guest.host();
        let pinned = (0..host.frames()).map(RawMfn);
        let pinned = pinned.filter(|mfn| host.frame(*mfn).pinned());
        prop_assert_eq!(constructed, pinned.map(Some).collect::<Vec<_>>());
        Ok(())
    }

    /// Ends everything: no page was lost.
    pub(crate) fn end(mut self) -> Result<(), TestCaseError> {
        self.precopy = None;
        while !self.pmaps.is_empty() {
            self.destroy(0, 0)?;
        }
        for at in 0..self.cpus.len() {
            self.update(at)?;
        }
        for place in 0..KERNEL_PLACES.len() {
            self.kremove(0, place, 1)?;
        }
        let (cpus, caches) = (&self.cpus, &mut self.caches);
        done(self.kernel.deflate(&cpus[0], &mut caches[0], PAGES))?;
        for page in self.frames.drain(..) {
            self.kernel.give_page(&mut caches[0], page);
        }
        for (cpu, cache) in cpus.iter().zip(caches.iter_mut()) {
            done(self.kernel.reap(cpu, cache))?;
            self.kernel.drain(cache);
        }
        let mut free = 0;
        while self.kernel.take_page(&mut caches[0]).is_ok() {
            free += 1;
        }
        prop_assert_eq!(free, PAGES - NOT_FREE - self.reference.tables.len() as u64);
        self.sound()
    }
}
