//! The comparison: what the guest says against what the model says, and whether the machine is sound.

use super::PAGES;
use super::guest::{Guest, WORD, done};
use super::op::PLACES;
use proptest::prelude::*;
use ptom::pmap::User;
use ptom::xen::{Mmu, RawMfn, Va};

/// Pages that a guest has for itself, and the kernel's own tables.
const NOT_FREE: u64 = 3 + 4;

impl Guest<'_> {
    /// Looks everything up on one vCPU; with another process last each time, as a lazy slot remembers it.
    pub(crate) fn compare(&self, at: usize, number: usize) -> Result<(), TestCaseError> {
        let (cpu, count) = (&self.cpus[at], self.pmaps.len());
        for process in (0..count).map(|process| (process + number) % count) {
            let pmap = self.pmaps[process];
            let space = &self.reference.processes[process];
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
                    let word = access.raw().load(va.0 + WORD).ok();
                    let expected = mapping.map(|m| self.reference.word(m.page));
                    prop_assert_eq!(word, expected, "contents of {:x}", page);
                }
            }
        }
        prop_assert_eq!(self.kernel.ballooned(), self.reference.ballooned);
        self.sound()
    }

    fn sound(&self) -> Result<(), TestCaseError> {
        let guest = self.machine.guest();
        prop_assert_eq!(guest.broken_invariants(), 0);
        let verdicts = guest.verdicts();
        let wrong = [
            verdicts.refused,
            verdicts.stale_uses,
            verdicts.wrong_frame,
            verdicts.raced_reads,
        ];
        prop_assert_eq!(wrong, [0; 4]);
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
        while !self.pmaps.is_empty() {
            self.destroy(0, 0)?;
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
        prop_assert_eq!(free, PAGES - NOT_FREE);
        self.sound()
    }
}
