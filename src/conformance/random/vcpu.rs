//! What one vCPU does: it translates and uses, goes offline and comes back, and perhaps suspends.

use super::world::{ANCHOR, Notes, Shared, World};
use super::{Fences, Random, grain, suspender};
use crate::pmap::{Kernel, PageCache, PmapError, PmapId, Range};
use crate::scheme::Scheme;
use crate::xen::{Held, Machine, Mmu, Pfn, Va, Vcpu, Watched};
use fastrand::Rng;

/// One vCPU, before it comes online.
#[derive(Debug)]
pub(super) struct Actor<'w, F: Fences, S: Scheme<Random<F>>> {
    pub(super) world: &'w World,
    pub(super) machine: &'w Machine<Random<F>, S>,
    pub(super) kernel: &'w Kernel<Random<F>>,
    pub(super) shared: Shared,
    pub(super) me: usize,
    /// Its own page, which it maps and unmaps in the shared address space, at its own address.
    pub(super) page: Pfn,
    pub(super) cache: PageCache,
    pub(super) rng: Rng,
    pub(super) notes: &'w Notes,
    pub(super) mapped: bool,
}

/// A vCPU that may be preempted between translating and using.
struct Preempted<'v, V>(&'v V);

impl<F: Fences, V: Mmu<Random<F>>> Mmu<Random<F>> for Preempted<'_, V> {
    type Guard<'h>
        = V::Guard<'h>
    where
        Self: 'h;

    fn hold(&self) -> Held<'_, Random<F>, V::Guard<'_>> {
        self.0.hold()
    }

    fn preemption_point(&self) {
        grain::point();
    }
}

impl<'w, F: Fences, S: Scheme<Random<F>>> Actor<'w, F, S> {
    /// Everything it does, from coming online to going offline.
    pub(super) fn run(mut self) {
        let Some(mut vcpu) = self.online() else {
            return;
        };
        let mut suspends = match self.me < self.world.suspenders {
            true => self.world.suspends,
            false => 0,
        };
        for left in (1..=self.world.ops + suspends).rev() {
            if suspends > 0 && self.rng.u32(0..left) < suspends {
                suspends -= 1;
                let mode = suspender::Kind::any(&mut self.rng);
                suspender::once(mode, &mut vcpu, self.kernel, self.shared, self.notes);
            } else if self.rng.u8(0..8) == 0 {
                drop(vcpu);
                match self.online() {
                    Some(again) => vcpu = again,
                    None => return,
                }
            } else if self.operation(&vcpu).is_err() {
                self.notes.note(|found| found.failed_ops += 1);
            }
            vcpu.quiescent();
        }
        self.kernel.drain(&mut self.cache);
    }

    /// Comes online and loads an address space: to be suspended, a vCPU needs one.
    fn online(&self) -> Option<Vcpu<'w, Random<F>, S>> {
        let vcpu = self.machine.vcpu().ok();
        let loaded = vcpu
            .as_ref()
            .is_some_and(|v| self.kernel.load_kernel(v).is_ok());
        if !loaded {
            self.notes.note(|found| found.failed_ops += 1);
        }
        vcpu
    }

    fn operation(&mut self, vcpu: &Vcpu<'_, Random<F>, S>) -> Result<(), PmapError> {
        let watched = Watched::new(vcpu);
        let mmu = &Preempted(&watched);
        let kernel = self.kernel;
        let space = self.shared.space;
        match self.rng.u8(0..8) {
            0 | 1 => self.enter(mmu),
            2 => {
                self.mapped = false;
                let range = self.range();
                kernel.remove(mmu, &mut self.cache, space, range)
            }
            3 => kernel.protect(mmu, space, self.range(), self.rng.bool()),
            4 => {
                self.look(mmu);
                kernel.load(mmu, space)
            }
            5 => {
                self.translate_at_once(vcpu);
                Ok(())
            }
            6 if S::CLAIMS.nests => {
                let hold = mmu.hold();
                let outer = hold.mfn(self.page).map(|mfn| mfn.raw());
                self.enter(mmu)?;
                // The outer hold is still the one it was.
                let same = outer == hold.mfn(self.page).map(|mfn| mfn.raw());
                self.expect(same);
                Ok(())
            }
            _ => self.private_space(mmu),
        }
    }

    /// Where this vCPU has its page in the shared address space.
    fn va(&self) -> Va {
        Va::of_page(self.range().page)
    }

    fn range(&self) -> Range {
        Range {
            page: (ANCHOR.0 >> 12) + 1 + self.me as u64,
            pages: 1,
        }
    }

    fn enter(&mut self, mmu: &impl Mmu<Random<F>>) -> Result<(), PmapError> {
        let (space, va) = (self.shared.space, self.va());
        let write = self.rng.bool();
        let kernel = self.kernel;
        kernel.enter(mmu, &mut self.cache, space, va, self.page, write)?;
        self.mapped = true;
        Ok(())
    }

    /// The two addresses whose mappings this vCPU knows.
    fn look(&self, mmu: &impl Mmu<Random<F>>) {
        let Shared { space, anchor } = self.shared;
        let own = self.mapped.then_some(self.page);
        self.expect(self.kernel.extract(mmu, space, ANCHOR) == Some(anchor));
        self.expect(self.kernel.extract(mmu, space, self.va()) == own);
    }

    fn expect(&self, right: bool) {
        if !right {
            self.notes.note(|found| found.wrong_mappings += 1);
        }
    }

    /// A snapshot of two translations; the machine compares their incarnations.
    fn translate_at_once(&self, vcpu: &Vcpu<'_, Random<F>, S>) {
        let (first, second) = (self.page, self.shared.anchor);
        vcpu.snapshot(|snap| {
            let one = snap.mfn(first).map(|mfn| mfn.raw());
            grain::point();
            one == snap.mfn(second).map(|mfn| mfn.raw())
        });
    }

    /// An address space comes, is used, and goes.
    fn private_space(&mut self, mmu: &impl Mmu<Random<F>>) -> Result<(), PmapError> {
        let space = self.kernel.create(mmu, &mut self.cache)?;
        let used = self.use_space(mmu, space);
        self.kernel.destroy(mmu, &mut self.cache, space)?;
        used
    }

    fn use_space(&mut self, mmu: &impl Mmu<Random<F>>, space: PmapId) -> Result<(), PmapError> {
        let kernel = self.kernel;
        kernel.load(mmu, space)?;
        kernel.enter(mmu, &mut self.cache, space, ANCHOR, self.page, true)?;
        self.expect(kernel.extract(mmu, space, ANCHOR) == Some(self.page));
        Ok(())
    }
}
