//! Contenders on the simulated machine: `pmap_extract`, `pmap_enter`, and the replayed trace.
//!
//! Each worker has a vCPU, a pmap and pages of its own, so that what its threads share is the scheme,
//! the kernel's lists and nothing else. A checksum counts the operations that did what they should.

use super::contender::{BASELINE, Contender, Field, Selection, Worker, on_table};
use super::count::{Counted, holds_per_op};
use super::scripts::Scripts;
use super::watch::Watch;
use super::workload::{GOLDEN, SHIFT};
use crate::backend::Native;
use crate::lab::peers;
use crate::lab::replay::Player;
use crate::lab::sample::Workload;
use crate::lab::trace::Script;
use crate::pmap::{Kernel, PageCache, PmapError, PmapId};
use crate::scheme::{Full, Scheme, Visit, each_native};
use crate::xen::{Config, Machine, Pfn, Va, Vcpu};
use std::sync::Arc;

/// Pages of a worker's process: four L1 tables, as many pages as the bare table has words.
pub const PAGES: u64 = 1 << (u64::BITS - SHIFT);
/// The number of the first.
pub const BASE: u64 = 0x40_0000 >> 12;

/// The workloads that need a machine.
pub const ON_A_MACHINE: [Workload; 5] = [
    Workload::PmapExtract,
    Workload::PmapEnter,
    Workload::Replay,
    Workload::ReplayGccMake,
    Workload::ReplayCargoBuild,
];

/// A machine under a scheme, for one workload.
struct OnMachine<S: Scheme<Native>> {
    machine: Machine<Native, S>,
    kernel: Kernel<Native>,
    script: Arc<Script>,
    workload: Workload,
    holds_per_op: Option<f64>,
}

impl<S: Scheme<Native>> OnMachine<S> {
    fn new(workload: Workload, threads: usize, script: &Arc<Script>) -> Result<Self, String> {
        let threads = threads as u64;
        let clone = match workload {
            _ if workload.is_replay() => {
                u64::from(script.frames) + script.stats.peak_tables + u64::from(script.spaces)
            }
            _ => 2 * PAGES + 16,
        };
        let config = Config::new((clone * 5 / 4 + 256) * threads + 256, threads as usize + 1);
        let machine = Machine::new(config).map_err(|e| e.to_string())?;
        let kernel = {
            let boot = machine.vcpu().map_err(|e| e.to_string())?;
            Kernel::boot(&boot, (script.spaces + 1) * threads as u32).map_err(|e| e.to_string())?
        };
        Ok(Self {
            machine,
            kernel,
            script: Arc::clone(script),
            workload,
            holds_per_op: None,
        })
    }

    fn make_worker(&self) -> Result<Box<dyn Worker + '_>, Full> {
        let vcpu = self.machine.vcpu()?;
        Ok(match self.workload {
            _ if self.workload.is_replay() => Box::new(ReplayWorker {
                vcpu,
                player: Player::new(&self.script, &self.kernel),
            }),
            _ => Box::new(PmapWorker::new(vcpu, &self.kernel, self.workload).map_err(|_| Full)?),
        })
    }
}

impl<S: Scheme<Native>> Contender for OnMachine<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn worker(&self) -> Result<Box<dyn Worker + '_>, Full> {
        self.make_worker()
    }

    fn holds_per_op(&self) -> Option<f64> {
        self.holds_per_op
    }

    fn grain(&self) -> u64 {
        match self.workload {
            // The passes of a trace are alike, its parts are not.
            _ if self.workload.is_replay() => self.script.ops.len() as u64,
            _ => 1,
        }
    }
}

/// A process with every page mapped, and a second frame for each.
struct PmapWorker<'m, S: Scheme<Native>> {
    vcpu: Vcpu<'m, Native, S>,
    kernel: &'m Kernel<Native>,
    cache: PageCache,
    pmap: PmapId,
    frames: [Vec<Pfn>; 2],
    enters: bool,
}

impl<'m, S: Scheme<Native>> PmapWorker<'m, S> {
    fn new(
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

/// A clone of the trace.
struct ReplayWorker<'m, S: Scheme<Native>> {
    vcpu: Vcpu<'m, Native, S>,
    player: Player<'m, Native>,
}

impl<S: Scheme<Native>> Worker for ReplayWorker<'_, S> {
    fn batch(&mut self, n: u64) -> u64 {
        let failed = self.player.failed;
        for _ in 0..n {
            self.player.step(&self.vcpu);
        }
        self.vcpu.quiescent();
        n - (self.player.failed - failed).min(n)
    }

    fn suspend(&mut self, during: &mut dyn FnMut()) {
        let _suspended = self.vcpu.suspend();
        during();
    }

    fn attend(&mut self, _: &Watch, _: usize) {
        // The latency of a suspend is measured on the bare table alone.
    }
}

/// Holds an operation, counted on a machine of one vCPU; the difference of two lengths, so that
/// what it takes to set up is not in it.
fn count<S: Scheme<Native>>(workload: Workload, script: &Arc<Script>) -> Option<f64> {
    let pass = script.ops.len() as u64;
    let run = |n| {
        let counted = OnMachine::<Counted<S>>::new(workload, 1, script).ok()?;
        let done = counted.make_worker().ok()?.batch(n);
        (done == n).then(|| counted.machine.scheme().holds())
    };
    if workload.is_replay() {
        return Some((run(2 * pass)? - run(pass)?) as f64 / pass as f64);
    }
    let mut failed = false;
    let holds = holds_per_op(|n| {
        run(n).unwrap_or_else(|| {
            failed = true;
            0
        })
    });
    (!failed).then_some(holds)
}

/// Every scheme that is wanted, each on a machine of its own; peers are excused. Of a workload that is none of
/// [`ON_A_MACHINE`] the field is empty.
pub fn on_machine(
    workload: Workload,
    threads: usize,
    wanted: &Selection,
    script: &Arc<Script>,
) -> Field {
    let mut entry = Entry {
        field: Field::default(),
        // The same code runs under every scheme, so one count serves all.
        holds_per_op: None,
        workload,
        threads,
        wanted,
        script,
    };
    if ON_A_MACHINE.contains(&workload) {
        each_native(&mut entry);
        for (peer, _) in peers::built().filter(|(peer, _)| wanted.wants(peer.name)) {
            if let Some(why) = peer.excuse(workload) {
                entry.field.excused.push((peer.name, why.to_owned()));
            }
        }
    }
    entry.field
}

/// The contenders of any workload, on a bare table or on a machine.
pub fn contenders(
    workload: Workload,
    threads: usize,
    wanted: &Selection,
    scripts: &Scripts,
) -> Field {
    if ON_A_MACHINE.contains(&workload) {
        on_machine(workload, threads, wanted, scripts.of(workload))
    } else {
        on_table(workload, threads, wanted)
    }
}

struct Entry<'w> {
    field: Field,
    holds_per_op: Option<f64>,
    workload: Workload,
    threads: usize,
    wanted: &'w Selection,
    script: &'w Arc<Script>,
}

impl Visit<Native> for Entry<'_> {
    fn visit<S: Scheme<Native>>(&mut self) {
        let baseline = S::NAME == BASELINE;
        if !baseline && !self.wanted.wants(S::NAME) {
            return;
        }
        self.holds_per_op = self
            .holds_per_op
            .or_else(|| count::<S>(self.workload, self.script));
        match OnMachine::<S>::new(self.workload, self.threads, self.script) {
            Err(why) => self.field.excused.push((S::NAME, why)),
            Ok(mut contender) => {
                contender.holds_per_op = self.holds_per_op;
                let at = if baseline {
                    0
                } else {
                    self.field.runners.len()
                };
                self.field.runners.insert(at, Box::new(contender));
            }
        }
    }
}
