//! Contenders on the simulated machine: `pmap_extract`, `pmap_enter`, and the replayed trace.
//!
//! Each worker has a vCPU, a pmap and pages of its own, so that what its threads share is the scheme,
//! the kernel's lists and nothing else. A checksum counts the operations that did what they should. The
//! workers are in `pmap` and `replay`.

mod pmap;
mod replay;

use super::contender::{BASELINE, Contender, Selection, Worker, on_table};
use super::count::{Counted, holds_per_op};
use super::field::Field;
use super::scripts::Scripts;
use crate::backend::Native;
use crate::lab::peers;
use crate::lab::sample::Workload;
use crate::lab::trace::Script;
use crate::native::each_native;
use crate::pmap::Kernel;
use crate::scheme::{Full, Scheme, Visit};
use crate::xen::{Config, Machine};
use pmap::PmapWorker;
pub use pmap::{BASE, PAGES};
use replay::ReplayWorker;
use std::sync::Arc;

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
            _ if self.workload.is_replay() => {
                Box::new(ReplayWorker::new(vcpu, &self.script, &self.kernel))
            }
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
            // Every page, with either of its frames: so the batch before has touched all that this one will.
            _ => 2 * PAGES,
        }
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
        if S::NAME != BASELINE && !self.wanted.wants(S::NAME) {
            return;
        }
        self.holds_per_op = self
            .holds_per_op
            .or_else(|| count::<S>(self.workload, self.script));
        self.field.enter::<S>(|| {
            let made = OnMachine::<S>::new(self.workload, self.threads, self.script)?;
            Ok(Box::new(OnMachine {
                holds_per_op: self.holds_per_op,
                ..made
            }))
        });
    }
}
