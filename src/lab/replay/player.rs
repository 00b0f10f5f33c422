//! One clone of a trace: its pmaps and pages, and what it does next.
//!
//! Works on any vCPU, or what stands for one. What fails is counted and passed over: in a control
//! much does, and the trace goes on.

use crate::backend::Backend;
use crate::lab::trace::{Frame, Op, Script, Space};
use crate::pmap::{Kernel, PageCache, PmapError, PmapId, Range};
use crate::xen::{Mmu, Pfn, Va};

/// Linux gives the top of a process's half to its stack and libraries; here that slot of the root is
/// the recursive one. Its addresses move to a slot that Linux leaves empty.
const LINUX_TOP: u64 = crate::pmap::RECURSIVE_SLOT as u64;
const MOVED_TO: u64 = 128;
/// Bits of a page number below the root's index.
const ROOT_SHIFT: u32 = 27;

/// Where a page of the trace's is here.
pub(super) fn moved(page: u64) -> u64 {
    if page >> ROOT_SHIFT == LINUX_TOP {
        return page & ((1 << ROOT_SHIFT) - 1) | MOVED_TO << ROOT_SHIFT;
    }
    page
}

/// A clone of a trace, somewhere in it.
#[derive(Debug)]
pub struct Player<'k, B: Backend> {
    script: &'k Script,
    kernel: &'k Kernel<B>,
    cache: PageCache,
    spaces: Vec<Option<PmapId>>,
    frames: Vec<Option<Pfn>>,
    next: usize,
    /// Passes through the whole trace so far.
    pub passes: u64,
    /// Operations that Xen or the kernel refused.
    pub failed: u64,
}

impl<'k, B: Backend> Player<'k, B> {
    /// A clone at the beginning of its trace.
    pub fn new(script: &'k Script, kernel: &'k Kernel<B>) -> Self {
        Self {
            script,
            kernel,
            cache: PageCache::default(),
            spaces: vec![None; script.spaces as usize],
            frames: vec![None; script.frames as usize],
            next: 0,
            passes: 0,
            failed: 0,
        }
    }

    /// How far it is in its pass, in operations.
    pub(super) fn position(&self) -> usize {
        self.next
    }

    /// What it does next; `None` at the end of the trace.
    pub(super) fn next_op(&self) -> Option<Op> {
        self.script.ops.get(self.next).copied()
    }

    /// Its processes, by number.
    pub(super) fn spaces(&self) -> &[Option<PmapId>] {
        &self.spaces
    }

    /// The page that stands for a frame of the trace.
    pub(super) fn frame(&self, frame: Frame) -> Option<Pfn> {
        self.frames[frame.0 as usize]
    }

    /// Does the next operation; at the end of the trace begins again.
    #[inline]
    pub fn step(&mut self, mmu: &impl Mmu<B>) {
        let Some(op) = self.script.ops.get(self.next) else {
            self.next = 0;
            self.passes += 1;
            return;
        };
        self.next += 1;
        if self.play(mmu, *op).is_err() {
            self.failed += 1;
        }
    }

    /// Does one whole pass, from wherever it is to the end of the trace.
    pub fn finish_pass(&mut self, mmu: &impl Mmu<B>) {
        let pass = self.passes;
        while self.passes == pass {
            self.step(mmu);
        }
    }

    fn space(&self, space: Space) -> Result<PmapId, PmapError> {
        self.spaces[space.0 as usize].ok_or(PmapError::Nothing)
    }

    fn play(&mut self, mmu: &impl Mmu<B>, op: Op) -> Result<(), PmapError> {
        let kernel = self.kernel;
        match op {
            Op::Create { space } => {
                let made = kernel.create(mmu, &mut self.cache)?;
                self.spaces[space.0 as usize] = Some(made);
                Ok(())
            }
            Op::Fork { parent, child } => {
                let parent = self.space(parent)?;
                let made = kernel.fork(mmu, &mut self.cache, parent)?;
                self.spaces[child.0 as usize] = Some(made);
                Ok(())
            }
            Op::Destroy { space } => {
                let pmap = self.space(space)?;
                self.spaces[space.0 as usize] = None;
                kernel.destroy(mmu, &mut self.cache, pmap)
            }
            Op::Switch { space } => kernel.load(mmu, self.space(space)?),
            Op::Alloc { frame } => {
                self.frames[frame.0 as usize] = Some(kernel.take_page(&mut self.cache)?);
                Ok(())
            }
            Op::Free { frame } => {
                if let Some(page) = self.frames[frame.0 as usize].take() {
                    kernel.give_page(&mut self.cache, page);
                }
                Ok(())
            }
            Op::Enter {
                space,
                page,
                frame,
                write,
            } => {
                let pmap = self.space(space)?;
                let pfn = self.frames[frame.0 as usize].ok_or(PmapError::Nothing)?;
                let va = Va::of_page(moved(page));
                kernel.enter(mmu, &mut self.cache, pmap, va, pfn, write)
            }
            Op::Remove { space, page, pages } => {
                let range = Range {
                    page: moved(page),
                    pages,
                };
                let pmap = self.space(space)?;
                kernel.remove(mmu, &mut self.cache, pmap, range)
            }
            Op::Protect {
                space,
                page,
                pages,
                write,
            } => {
                let range = Range {
                    page: moved(page),
                    pages,
                };
                kernel.protect(mmu, self.space(space)?, range, write)
            }
        }
    }
}

impl<B: Backend> Drop for Player<'_, B> {
    fn drop(&mut self) {
        self.kernel.drain(&mut self.cache);
    }
}
