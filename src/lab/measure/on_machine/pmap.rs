//! A worker whose operation is `pmap_extract` or `pmap_enter` of a page of its own process.

use crate::backend::Native;
use crate::lab::measure::contender::Worker;
use crate::lab::measure::watch::Watch;
use crate::lab::measure::workload::{GOLDEN, SHIFT};
use crate::lab::sample::Workload;
use crate::pmap::{Kernel, PageCache, PmapError, PmapId};
use crate::scheme::Scheme;
use crate::xen::{Pfn, Va, Vcpu};

/// Pages of a worker's process: four L1 tables, as many pages as the bare table has words.
pub const PAGES: u64 = 1 << (u64::BITS - SHIFT);
/// The number of the first.
pub const BASE: u64 = 0x40_0000 >> 12;

/// A process with every page mapped, and a second frame for each.
pub(super) struct PmapWorker<'m, S: Scheme<Native>> {
    vcpu: Vcpu<'m, Native, S>,
    kernel: &'m Kernel<Native>,
    cache: PageCache,
    pmap: PmapId,
    frames: [Vec<Pfn>; 2],
    enters: bool,
}

impl<'m, S: Scheme<Native>> PmapWorker<'m, S> {
    /// Maps its pages.
    pub(super) fn new(
        vcpu: Vcpu<'m, Native, S>,
        kernel: &'m Kernel<Native>,
        workload: Workload,
    ) -> Result<Self, PmapError> {
        let mut cache = PageCache::default();
        let pmap = kernel.create(&vcpu, &mut cache)?;
        let mut frames = [Vec::new(), Vec::new()];
        for page in 0..PAGES {
            for side in &mut frames {
                side.push(kernel.take_page(&mut cache)?);
            }
            let va = Va::of_page(BASE + page);
            let pfn = frames[0][page as usize];
            kernel.enter(&vcpu, &mut cache, pmap, va, pfn, true)?;
        }
        Ok(Self {
            vcpu,
            kernel,
            cache,
            pmap,
            frames,
            enters: workload == Workload::PmapEnter,
        })
    }
}

impl<S: Scheme<Native>> Drop for PmapWorker<'_, S> {
    fn drop(&mut self) {
        // What Xen would refuse here it has refused before, and the checksum told.
        let _ = self.kernel.destroy(&self.vcpu, &mut self.cache, self.pmap);
        for page in self.frames.iter().flatten() {
            self.kernel.give_page(&mut self.cache, *page);
        }
        self.kernel.drain(&mut self.cache);
    }
}

impl<S: Scheme<Native>> Worker for PmapWorker<'_, S> {
    fn batch(&mut self, n: u64) -> u64 {
        let (mut x, mut right) = (0u64, 0u64);
        for turn in 0..n {
            x = x.wrapping_add(GOLDEN);
            let page = x >> SHIFT;
            let va = Va::of_page(BASE + page);
            right += u64::from(if self.enters {
                // Turns about, so that the frame is another one than is mapped, mostly.
                let pfn = self.frames[(turn / PAGES) as usize & 1][page as usize];
                let (vcpu, cache) = (&self.vcpu, &mut self.cache);
                self.kernel
                    .enter(vcpu, cache, self.pmap, va, pfn, true)
                    .is_ok()
            } else {
                let found = self.kernel.extract(&self.vcpu, self.pmap, va);
                found == Some(self.frames[0][page as usize])
            });
        }
        self.vcpu.quiescent();
        right
    }

    fn suspend(&mut self, during: &mut dyn FnMut()) {
        let _suspended = self.vcpu.suspend();
        during();
    }

    fn attend(&mut self, _: &Watch, _: usize) {
        // The latency of a suspend is measured on the bare table alone.
    }
}
