//! The guest under test: what it does, it does in the model too.

use super::op::{Op, PLACES, Step, page_of};
use super::reference::{Mapping, Reference};
use proptest::prelude::*;
use ptom::backend::Native;
use ptom::pmap::{Alternate, Cached, Kernel, PageCache, PmapId, Range};
use ptom::scheme::percpu::PerCpu;
use ptom::xen::host::Host;
use ptom::xen::stream::Precopy;
use ptom::xen::{Machine, Mmu, Pfn, Pte, Va, Vcpu, Watched};

type Scheme = PerCpu<Native>;
type Cpu<'m> = Vcpu<'m, Native, Scheme>;

/// Pages that processes map.
pub(crate) const FRAMES: usize = 10;
/// Processes at once.
const PROCESSES: usize = 6;
/// Pages that may be without a frame: never so many that a page table could not be had.
const MOST_BALLOONED: u64 = 400;

/// A guest, and what it should be like.
pub(crate) struct Guest<'m> {
    pub(crate) machine: &'m Machine<Native, Scheme>,
    pub(crate) cpus: Vec<Cpu<'m>>,
    pub(crate) caches: Vec<PageCache>,
    pub(crate) kernel: Kernel<Native>,
    pub(crate) frames: Vec<Pfn>,
    /// In the model's order.
    pub(crate) pmaps: Vec<PmapId>,
    /// By vCPU; `None` is the kernel's.
    pub(crate) loaded: Vec<Option<PmapId>>,
    /// Where it is not.
    pub(crate) other: Host<Native>,
    /// The migration under way.
    pub(crate) precopy: Option<Precopy<'m, Native>>,
    pub(crate) reference: Reference,
}

/// What would never be an error here.
pub(crate) fn done<T, E: std::fmt::Display>(result: Result<T, E>) -> Result<T, TestCaseError> {
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
            other: machine.guest().another_host(),
            precopy: None,
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
        let (cpu, cache) = (&Watched::new(&self.cpus[at]), &mut self.caches[at]);
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
                    let mapping = Mapping { page: pfn, write };
                    reference.processes[process].insert(page, mapping);
                }
            }
            Op::Again {
                process,
                mapped,
                write,
            } => {
                let space = some(process).map(|process| &mut reference.processes[process]);
                let Some(space) = space.filter(|space| !space.is_empty()) else {
                    return Ok(());
                };
                let nth = mapped % space.len();
                for (page, mapping) in space.iter_mut().skip(nth).take(1) {
                    let (pmap, va) = (pmaps[process % pmaps.len()], Va::of_page(*page));
                    done(kernel.enter(cpu, cache, pmap, va, mapping.page, write))?;
                    mapping.write = write;
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
            Op::PageRemove { frame } => {
                done(kernel.page_remove(cpu, cache, self.frames[frame]))?;
                reference.page_remove(self.frames[frame]);
            }
            Op::Clear { frame } => {
                let page = self.frames[frame];
                let was = done(kernel.clear_attrs(cpu, page, Pte::D))?;
                prop_assert_eq!(was, reference.dirty.remove(&page));
            }
            Op::Kenter {
                place,
                frame,
                write,
            } => self.kenter(at, place, self.frames[frame], write)?,
            Op::Queue { place, frame } => self.queue(at, place, self.frames[frame])?,
            Op::Update => self.update(at)?,
            Op::Kremove { place, pages } => self.kremove(at, place, pages)?,
            Op::Raw(call) => self.raw(at, call)?,
            Op::Store { place, word } => self.store(at, page_of(place), word)?,
            Op::Renew { frame } => {
                if !reference.is_mapped(self.frames[frame]) {
                    kernel.give_page(cache, self.frames[frame]);
                    let page = done(kernel.take_page(cache))?;
                    cpu.hold().access().zero(page);
                    self.frames[frame] = page;
                    reference.contents.remove(&page);
                    reference.dirty.remove(&page);
                }
            }
            // What is given up while it is copied comes back on the other host (F17): not both at once.
            Op::Inflate { pages } => {
                self.precopy = None;
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
            Op::Round => self.round(at)?,
            Op::Migrate { mode } => self.migrate(at, mode)?,
        }
        Ok(())
    }

    /// No other vCPU may have it loaded.
    pub(crate) fn destroy(&mut self, at: usize, process: usize) -> Result<(), TestCaseError> {
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
}
