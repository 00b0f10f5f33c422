//! A whole replay under one scheme: the vCPUs, the suspender, and what came of it.

use super::lens::{Injector, Lens, Track};
use super::player::Player;
use super::rendezvous::Rendezvous;
use crate::backend::Native;
use crate::lab::trace::Script;
use crate::pmap::{Kernel, PmapError};
use crate::scheme::Scheme;
use crate::suspend::{SuspendError, pre_suspend};
use crate::xen::machine::BadConfig;
use crate::xen::{Config, Machine, Mode, Outcome, Vcpu};
use fastrand::Rng;
use serde::Serialize;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// How a trace is replayed.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// vCPUs that each run a clone; the suspender has one more.
    pub vcpus: usize,
    /// Times each clone is run through.
    pub passes: u64,
    /// From one suspend to the next.
    pub every: Duration,
    /// Injections in the whole run, at most; 0 for none.
    pub inject: u64,
    /// Where injections fall, and how derangements permute.
    pub seed: u64,
}

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

/// Why a trace could not be replayed at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayError {
    /// No machine is large enough.
    TooLarge,
    /// The guest did not boot.
    Boot(PmapError),
}

impl From<BadConfig> for ReplayError {
    fn from(_: BadConfig) -> Self {
        ReplayError::TooLarge
    }
}

impl From<PmapError> for ReplayError {
    fn from(error: PmapError) -> Self {
        ReplayError::Boot(error)
    }
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReplayError::TooLarge => {
                f.write_str("the trace needs a larger machine than there is; use fewer vCPUs")
            }
            ReplayError::Boot(error) => write!(f, "the simulated guest did not boot: {error}"),
        }
    }
}

impl std::error::Error for ReplayError {}

/// A machine that holds `clones` clones of a trace, with a quarter to spare, and its kernel's room.
///
/// # Errors
/// [`ReplayError::TooLarge`].
pub fn machine_for<S: Scheme<Native>>(
    script: &Script,
    clones: usize,
) -> Result<Machine<Native, S>, ReplayError> {
    let clone = u64::from(script.frames) + script.stats.peak_tables + u64::from(script.spaces);
    // A vCPU's cache of free pages is out of the others' reach.
    let pages = (clone * 5 / 4 + 256) * clones as u64 + 256;
    Ok(Machine::new(Config::new(pages, clones + 1))?)
}

#[derive(Default)]
pub(super) struct Suspends {
    pub(super) done: u64,
    cancelled: u64,
    pub(super) failed: u64,
    pub(super) lost_tables: u64,
}

pub(super) struct Clone {
    holds: u64,
    passes: u64,
    failed: u64,
    injected: u64,
    expired: u64,
    caught: u64,
}

impl Clone {
    /// What a clone did, and what happened to it.
    pub(super) fn of(track: &Track<'_>, player: &Player<'_, Native>, caught: u64) -> Self {
        let injector = track.injector.borrow();
        Self {
            holds: track.holds.get(),
            passes: player.passes,
            failed: player.failed,
            injected: injector.injected,
            expired: injector.expired,
            caught,
        }
    }
}

/// The injections of one clone.
pub(super) fn injector(plan: Plan, id: usize, rendezvous: &Rendezvous) -> Injector<'_> {
    let (id, vcpus) = (id as u64, plan.vcpus as u64);
    let share = plan.inject / vcpus + u64::from(id < plan.inject % vcpus);
    Injector::new(rendezvous, share, plan.seed.wrapping_add(id))
}

/// Replays a script under a scheme. `stop` ends it early, with what there is.
///
/// # Errors
/// [`ReplayError`].
pub fn run<S: Scheme<Native>>(
    script: &Script,
    plan: Plan,
    stop: &AtomicBool,
) -> Result<Replayed, ReplayError> {
    let machine = machine_for::<S>(script, plan.vcpus)?;
    let mut suspender = machine.vcpu().map_err(|_| ReplayError::TooLarge)?;
    let room = script.spaces * plan.vcpus as u32 + plan.vcpus as u32;
    let kernel = Kernel::boot(&suspender, room)?;
    let rendezvous = Rendezvous::new(S::CLAIMS.holds);
    let begun = Instant::now();
    let (clones, suspends) = thread::scope(|scope| {
        let clones: Vec<_> = (0..plan.vcpus)
            .map(|id| {
                let (machine, kernel, rendezvous) = (&machine, &kernel, &rendezvous);
                scope.spawn(move || {
                    let vcpu = machine.vcpu().map_err(|_| ReplayError::TooLarge)?;
                    Ok(clone(script, plan, id, &vcpu, kernel, rendezvous, stop))
                })
            })
            .collect();
        let suspends = scope.spawn(|| suspends(plan, &mut suspender, &kernel, &rendezvous));
        let clones: Result<Vec<Clone>, ReplayError> = clones
            .into_iter()
            .map(|c| c.join().unwrap_or(Err(ReplayError::TooLarge)))
            .collect();
        rendezvous.close();
        (clones, suspends.join())
    });
    let seconds = begun.elapsed().as_secs_f64();
    drop(suspender);
    let (clones, suspends) = (clones?, suspends.map_err(|_| ReplayError::TooLarge)?);
    Ok(tally::<S>(
        script, plan, &machine, &clones, &suspends, seconds,
    ))
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
    }
}

/// One vCPU's part.
fn clone<S: Scheme<Native>>(
    script: &Script,
    plan: Plan,
    id: usize,
    vcpu: &Vcpu<'_, Native, S>,
    kernel: &Kernel<Native>,
    rendezvous: &Rendezvous,
    stop: &AtomicBool,
) -> Clone {
    let track = Track::new(injector(plan, id, rendezvous));
    let lens = Lens {
        vcpu,
        track: &track,
    };
    let mut player = Player::new(script, kernel);
    let mut caught = 0;
    let mut seen = vcpu.verdicts().stale_uses;
    while player.passes < plan.passes && !stop.load(Relaxed) {
        player.step(&lens);
        if track.overtaken.replace(false) {
            let now = vcpu.verdicts().stale_uses;
            caught += u64::from(now > seen);
            seen = now;
        }
    }
    Clone::of(&track, &player, caught)
}

/// The suspender's part: until the run is over, every so often and whenever one is asked for.
fn suspends<S: Scheme<Native>>(
    plan: Plan,
    vcpu: &mut Vcpu<'_, Native, S>,
    kernel: &Kernel<Native>,
    rendezvous: &Rendezvous,
) -> Suspends {
    let mut rng = Rng::with_seed(!plan.seed);
    let mut count = Suspends::default();
    let mut next = Instant::now() + plan.every;
    while !rendezvous.closed() {
        let asked = rendezvous.begin(next);
        if rendezvous.closed() {
            rendezvous.over(None);
            break;
        }
        let due = Instant::now() >= next;
        if due {
            next = Instant::now() + plan.every;
        }
        // What was asked for must change MFNs, or it would catch nobody; the others come in turn.
        let mode = match count.done % 3 {
            2 if due => Mode::Cancelled,
            1 => Mode::Deranged { seed: rng.u64(..) },
            _ => Mode::Fresh,
        };
        match once(vcpu, kernel, rendezvous, mode) {
            Ok(Outcome::Resumed { lost_tables }) => {
                count.lost_tables += lost_tables;
                count.done += 1;
            }
            Ok(Outcome::Cancelled) => {
                count.done += 1;
                count.cancelled += 1;
            }
            Err(_) => count.failed += 1,
        }
        rendezvous.over((mode != Mode::Cancelled).then_some(asked));
    }
    count
}

fn once<S: Scheme<Native>>(
    vcpu: &mut Vcpu<'_, Native, S>,
    kernel: &Kernel<Native>,
    rendezvous: &Rendezvous,
    mode: Mode,
) -> Result<Outcome, SuspendError> {
    let mut suspending = pre_suspend(vcpu, kernel)?;
    rendezvous.exclusive();
    let outcome = suspending.hypercall(mode);
    suspending.post_suspend(outcome.unwrap_or(Outcome::Cancelled))?;
    outcome
}
