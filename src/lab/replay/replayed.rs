//! What a replay under one scheme gave: the sum of its clones, its suspends and the machine's verdicts.

use super::clones::Clone;
use super::plan::Plan;
use super::suspends::Suspends;
use crate::backend::Native;
use crate::lab::trace::Script;
use crate::scheme::Scheme;
use crate::xen::Machine;
use serde::Serialize;
use std::time::Duration;

/// What a replay under one scheme gave.
#[derive(Clone, Debug, Serialize)]
pub struct Replayed {
    /// The scheme.
    pub scheme: String,
    /// vCPUs, the suspender's not counted.
    pub vcpus: usize,
    /// Passes through the trace, all vCPUs.
    pub passes: u64,
    /// Page faults replayed, all vCPUs.
    pub faults: u64,
    /// Process forks replayed.
    pub forks: u64,
    /// Task exits replayed.
    pub exits: u64,
    /// Pmaps made.
    pub pmap_creates: u64,
    /// Pmaps destroyed.
    pub pmap_destroys: u64,
    /// Suspends that came and went, cancelled ones included.
    pub suspends: u64,
    /// Of these, cancelled.
    pub cancelled: u64,
    /// Suspends that failed: a sound scheme has none.
    pub failed_suspends: u64,
    /// Holds begun.
    pub holds: u64,
    /// Hypercalls made.
    pub hypercalls: u64,
    /// Injections made.
    pub injected: u64,
    /// Of these, overtaken by a suspend that changed MFNs, and noticed by the oracle.
    pub caught: u64,
    /// Of these, held against the suspender.
    pub expired: u64,
    /// MFNs used in another incarnation than the one they were translated in.
    pub stale_uses: u64,
    /// MFNs used that were not the frame the caller meant.
    pub wrong_frame: u64,
    /// Hypercalls that Xen refused.
    pub refused: u64,
    /// Operations that could not be done.
    pub failed_ops: u64,
    /// PTEs read while a restore rewrote them.
    pub raced_reads: u64,
    /// Page tables that save and restore lost.
    pub lost_tables: u64,
    /// Frames whose counts or owner were wrong at the end.
    pub broken_invariants: u64,
    /// Seconds; `null` while injecting, when they mean nothing.
    pub seconds: Option<f64>,
    /// Microseconds from when a suspend was asked for until the guest was ready for it, no vCPU holding and all of
    /// `pre_suspend` done: the median, rounded up; `null` while injecting, or without a suspend.
    pub wait_us: Option<u64>,
    /// The longest of these waits.
    pub longest_wait_us: Option<u64>,
}

impl Replayed {
    /// Whether nothing was ever wrong: what a scheme that claims to hold must show.
    pub fn sound(&self) -> bool {
        let wrong = [
            self.stale_uses,
            self.wrong_frame,
            self.refused,
            self.failed_ops,
            self.failed_suspends,
            self.lost_tables,
            self.broken_invariants,
        ];
        wrong.iter().all(|n| *n == 0)
    }
}

pub(super) fn tally<S: Scheme<Native>>(
    script: &Script,
    plan: Plan,
    machine: &Machine<Native, S>,
    clones: &[Clone],
    suspends: &Suspends,
    seconds: f64,
) -> Replayed {
    let sum = |of: fn(&Clone) -> u64| clones.iter().map(of).sum::<u64>();
    let passes = sum(|c| c.passes);
    let verdicts = machine.guest().verdicts();
    let mut waits = suspends.waits.clone();
    waits.sort_unstable();
    let timed = |wait: Option<&Duration>| {
        let micros = wait?.as_nanos().div_ceil(1_000) as u64;
        (plan.inject == 0).then_some(micros)
    };
    Replayed {
        scheme: S::NAME.to_owned(),
        vcpus: plan.vcpus,
        passes,
        faults: passes * script.stats.faults,
        forks: passes * script.stats.forks,
        exits: passes * script.stats.exits,
        pmap_creates: passes * script.stats.pmap_creates,
        pmap_destroys: passes * script.stats.pmap_destroys,
        suspends: suspends.done,
        cancelled: suspends.cancelled,
        failed_suspends: suspends.failed,
        holds: sum(|c| c.holds),
        hypercalls: verdicts.hypercalls,
        injected: sum(|c| c.injected),
        caught: sum(|c| c.caught),
        expired: sum(|c| c.expired),
        stale_uses: verdicts.stale_uses,
        wrong_frame: verdicts.wrong_frame,
        refused: verdicts.refused,
        failed_ops: sum(|c| c.failed),
        raced_reads: verdicts.raced_reads,
        lost_tables: suspends.lost_tables,
        broken_invariants: machine.guest().broken_invariants(),
        seconds: (plan.inject == 0).then_some(seconds),
        wait_us: timed(waits.get(waits.len() / 2)),
        longest_wait_us: timed(waits.last()),
    }
}
