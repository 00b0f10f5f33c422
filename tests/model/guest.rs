//! The guest under test, and its comparison with the model.

use super::PAGES;
use super::op::{Op, PLACES, Step};
use super::reference::Reference;
use proptest::prelude::*;
use ptom::backend::Native;
use ptom::pmap::{Alternate, Cached, Kernel, PageCache, PmapId, Range, User};
use ptom::scheme::percpu::PerCpu;
use ptom::suspend::pre_suspend;
use ptom::xen::{Machine, Mmu, Mode, Outcome, Pfn, RawMfn, Va, Vcpu};

type Scheme = PerCpu<Native>;
type Cpu<'m> = Vcpu<'m, Native, Scheme>;

/// Pages that processes map.
pub(crate) const FRAMES: usize = 10;
/// Processes at once.
const PROCESSES: usize = 6;
/// Pages that may be without a frame: never so many that a page table could not be had.
const MOST_BALLOONED: u64 = 400;
/// Pages that a guest has for itself, and the kernel's own tables.
const NOT_FREE: u64 = 3 + 4;

/// A guest, and what it should be like.
pub(crate) struct Guest<'m> {
    machine: &'m Machine<Native, Scheme>,
    cpus: Vec<Cpu<'m>>,
    caches: Vec<PageCache>,
    kernel: Kernel<Native>,
    frames: Vec<Pfn>,
    /// In the model's order.
    pmaps: Vec<PmapId>,
    /// By vCPU; `None` is the kernel's.
    loaded: Vec<Option<PmapId>>,
    reference: Reference,
}

/// What would never be an error here.
fn done<T, E: std::fmt::Display>(result: Result<T, E>) -> Result<T, TestCaseError> {
    result.map_err(|error| TestCaseError::fail(error.to_string()))
}

impl<'m> Guest<'m> {
    pub(crate) fn boot(
        machine: &'m Machine<Native, Scheme>,
        vcpus: usize,
        alternate: Alternate,
        cached: Cached,
    ) -> Self {
        let cpus: Vec<_> = (0..vcpus).map(|_| machine.vcpu().unwrap()).collect();
        let mut kernel = Kernel::boot(&cpus[0], PROCESSES as u32).unwrap();
        kernel.reach_by(alternate);
        kernel.cache_roots(cached);
        cpus.iter().for_each(|cpu| kernel.load_kernel(cpu).unwrap());
        let mut caches: Vec<_> = cpus.iter().map(|_| PageCache::default()).collect();
        let frames = (0..FRAMES).map(|_| kernel.take_page(&mut caches[0]).unwrap());
        Self {
            machine,
            loaded: vec![None; vcpus],
            frames: frames.collect(),
            cpus,
            caches,
            kernel,
            pmaps: Vec::new(),
            reference: Reference::default(),
        }
    }

    /// Does one operation here and in the model, and compares.
    pub(crate) fn step(&mut self, step: Step, number: usize) -> Result<(), TestCaseError> {
        let at = step.cpu % self.cpus.len();
        self.apply(at, step.op)?;
        self.compare(at, number)
    }

    fn apply(&mut self, at: usize, op: Op) -> Result<(), TestCaseError> {
        let Self {
            kernel,
            pmaps,
            reference,
            ..
        } = self;
        let (cpu, cache) = (&self.cpus[at], &mut self.caches[at]);
        let some = |process: usize| (!pmaps.is_empty()).then(|| process % pmaps.len());
        match op {
            Op::Create if pmaps.len() < PROCESSES => {
                pmaps.push(done(kernel.create(cpu, cache))?);
                reference.processes.push(Default::default());
            }
            Op::Fork { process } if pmaps.len() < PROCESSES => {
                if let Some(parent) = some(process) {
                    pmaps.push(done(kernel.fork(cpu, cache, pmaps[parent]))?);
                    reference.fork(parent);
                }
            }
            Op::Create | Op::Fork { .. } => {}
            Op::Destroy { process } => {
                if let Some(process) = some(process) {
                    self.destroy(at, process)?;
                }
            }
            Op::Load { process } => {
                if let Some(process) = some(process) {
                    done(kernel.load(cpu, pmaps[process]))?;
                    self.loaded[at] = Some(pmaps[process]);
                }
            }
            Op::LoadKernel => {
                done(kernel.load_kernel(cpu))?;
                self.loaded[at] = None;
            }
            Op::Enter {
                process,
                place,
                frame,
                write,
            } => {
                if let Some(process) = some(process) {
                    let (page, pfn) = (PLACES[place], self.frames[frame]);
                    let va = Va::of_page(page);
                    done(kernel.enter(cpu, cache, pmaps[process], va, pfn, write))?;
                    let mapping = super::reference::Mapping { page: pfn, write };
                    reference.processes[process].insert(page, mapping);
                }
            }
            Op::Remove {
                process,
                place,
                pages,
            } => {
                if let Some(process) = some(process) {
                    let page = PLACES[place];
                    done(kernel.remove(cpu, cache, pmaps[process], Range { page, pages }))?;
                    reference.remove(process, page, pages);
                }
            }
            Op::Protect {
                process,
                place,
                pages,
                write,
            } => {
                if let Some(process) = some(process) {
                    let page = PLACES[place];
                    done(kernel.protect(cpu, pmaps[process], Range { page, pages }, write))?;
                    reference.protect(process, page, pages, write);
                }
            }
            Op::Store { place, word } => self.store(at, PLACES[place], word)?,
            Op::Renew { frame } => {
                if !reference.is_mapped(self.frames[frame]) {
                    kernel.give_page(cache, self.frames[frame]);
                    let page = done(kernel.take_page(cache))?;
                    cpu.hold().access().zero(page);
                    self.frames[frame] = page;
                    reference.contents.remove(&page);
                }
            }
            Op::Inflate { pages } => {
                let pages = pages.min(MOST_BALLOONED - reference.ballooned);
                prop_assert_eq!(done(kernel.inflate(cpu, cache, pages))?, pages);
                reference.ballooned += pages;
            }
            Op::Deflate { pages } => {
                let most = pages.min(reference.ballooned);
                prop_assert_eq!(done(kernel.deflate(cpu, cache, pages))?, most);
                reference.ballooned -= most;
            }
            Op::Drain => kernel.drain(cache),
            Op::Reap => {
                done(kernel.reap(cpu, cache))?;
            }
            Op::Suspend { mode, wire } => self.suspend(at, mode, wire)?,
        }
        Ok(())
    }

    /// No other vCPU may have it loaded.
    fn destroy(&mut self, at: usize, process: usize) -> Result<(), TestCaseError> {
        let pmap = self.pmaps.remove(process);
        self.reference.processes.remove(process);
        for (cpu, loaded) in self.cpus.iter().zip(&mut self.loaded) {
            if *loaded == Some(pmap) {
                done(self.kernel.load_kernel(cpu))?;
                *loaded = None;
            }
        }
        done(
            self.kernel
                .destroy(&self.cpus[at], &mut self.caches[at], pmap),
        )
    }

    /// Stores by the processor: it faults where the model says that it must.
    fn store(&mut self, at: usize, page: u64, word: u64) -> Result<(), TestCaseError> {
        let stored = {
            let hold = self.cpus[at].hold();
            hold.access().raw().store(Va::of_page(page).0, 8, word)
        };
        let loaded = self.loaded[at].and_then(|pmap| self.pmaps.iter().position(|p| *p == pmap));
        let mapping = loaded.and_then(|process| self.reference.processes[process].get(&page));
        let writable = mapping.filter(|mapping| mapping.write);
        prop_assert_eq!(stored.is_ok(), writable.is_some());
        if let Some(mapping) = writable {
            self.reference.contents.insert(mapping.page, word);
        }
        Ok(())
    }

    fn suspend(&mut self, at: usize, mode: Mode, wire: bool) -> Result<(), TestCaseError> {
        let mut suspending = done(pre_suspend(&mut self.cpus[at], &self.kernel))?;
        let outcome = match wire {
            true => suspending.hypercall_by(mode, |stream| stream),
            false => suspending.hypercall(mode),
        };
        let outcome = done(outcome)?;
        done(suspending.post_suspend(outcome))?;
        let expected = match mode {
            Mode::Cancelled => Outcome::Cancelled,
            Mode::Fresh | Mode::Deranged { .. } => Outcome::Resumed { lost_tables: 0 },
        };
        prop_assert_eq!(outcome, expected);
        Ok(())
    }

    /// Looks everything up on one vCPU; with another process last each time, as a lazy slot remembers it.
    fn compare(&self, at: usize, number: usize) -> Result<(), TestCaseError> {
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
                    let word = access.raw().load(va.0).ok();
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
