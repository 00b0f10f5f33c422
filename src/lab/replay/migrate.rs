//! Replaying a trace while the guest is migrated between two hosts, back and forth.
//!
//! Every vCPU runs a clone of the trace, and writes: a page when it is taken, and again when a process
//! is given a writable mapping of it, **through that mapping**. One more vCPU plays the tools. All stop
//! in the last pass where most pages are in use; the guest is migrated once more, and every page of
//! every process is compared with that of a run that nobody disturbed ([`End`]).
//!
//! What each write holds follows from the clone and the write's number alone, so the runs are equal if
//! every write and every mapping is where it belongs, and nothing else would make them so.

use super::end::{Differences, End, fullest};
use super::lens::{Lens, Track};
use super::player::{Player, moved};
use super::rendezvous::Rendezvous;
use super::run::{Clone, Plan, ReplayError, Replayed, Suspends, injector, machine_for, tally};
use crate::backend::Native;
use crate::lab::trace::{Op, Script};
use crate::pmap::Kernel;
use crate::scheme::Scheme;
use crate::scheme::unprotected::Unprotected;
use crate::suspend::{SuspendError, pre_suspend};
use crate::xen::host::Host;
use crate::xen::stream::{Precopy, Round};
use crate::xen::{Machine, Mmu, Mode, Outcome, Va, Vcpu};
use fastrand::Rng;
use serde::Serialize;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

/// What a replay with migrations under one scheme gave.
#[derive(Clone, Debug, Serialize)]
pub struct Moved {
    /// The replay: its suspends are the migrations, and its passes those that came to their end, so the
    /// last one is not among them.
    #[serde(flatten)]
    pub replay: Replayed,
    /// Each migration.
    pub migrations: Vec<Migration>,
    /// How the guest at the end differs from that of an undisturbed run.
    pub differences: Differences,
}

impl Moved {
    /// Whether nothing was ever wrong, and the guest is what it should be.
    pub fn sound(&self) -> bool {
        self.replay.sound() && self.differences.count() == 0
    }
}

/// One migration. The times describe this run; they rank nobody.
#[derive(Clone, Debug, Serialize)]
pub struct Migration {
    /// Its rounds; the guest was suspended in the last one.
    pub rounds: Vec<RoundRow>,
    /// Length of the stream, in octets.
    pub octets: u64,
    /// Page tables that the last round dropped.
    pub lost_tables: u64,
    /// Of the downtime, in microseconds: until nobody held.
    pub exclusivity_us: f64,
    /// Then: until the last round was written.
    pub last_round_us: f64,
    /// Then: until the guest was restored. On real Xen most of that is done before the downtime.
    pub restore_us: f64,
    /// Then: until readers went on.
    pub resume_us: f64,
}

impl Migration {
    /// From the suspend's being asked for to readers' going on, in microseconds, without the restore.
    pub fn stopped_us(&self) -> f64 {
        self.exclusivity_us + self.last_round_us + self.resume_us
    }
}

/// A round of a migration.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct RoundRow {
    /// Pages that were dirty.
    pub dirty: u64,
    /// Of these, sent with contents.
    pub sent: u64,
    /// Of these, page tables that did not resolve.
    pub unresolved: u64,
    /// Of these, PFNs without a frame.
    pub empty: u64,
}

impl From<Round> for RoundRow {
    fn from(round: Round) -> Self {
        Self {
            dirty: round.dirty,
            sent: round.sent,
            unresolved: round.unresolved,
            empty: round.empty,
        }
    }
}

/// A run's parts, before they are tallied.
struct Run {
    clones: Vec<Clone>,
    end: End,
    suspends: Suspends,
    migrations: Vec<Migration>,
    seconds: f64,
}

/// The guest at the end of a run that nobody disturbed: what [`run`] compares with. No scheme has a part
/// in it, so it is the same for all.
///
/// # Errors
/// [`ReplayError`].
pub fn undisturbed(script: &Script, plan: Plan, stop: &AtomicBool) -> Result<End, ReplayError> {
    let machine = machine_for::<Unprotected>(script, plan.vcpus)?;
    let plan = Plan { inject: 0, ..plan };
    Ok(on_machine(&machine, script, plan, false, stop)?.end)
}

/// Replays a script under a scheme, with migrations; `should` is what the guest must be at the end.
/// `stop` ends it early, with what there is.
///
/// # Errors
/// [`ReplayError`].
pub fn run<S: Scheme<Native>>(
    script: &Script,
    plan: Plan,
    should: &End,
    stop: &AtomicBool,
) -> Result<Moved, ReplayError> {
    let machine = machine_for::<S>(script, plan.vcpus)?;
    let run = on_machine(&machine, script, plan, true, stop)?;
    Ok(Moved {
        replay: tally::<S>(
            script,
            plan,
            &machine,
            &run.clones,
            &run.suspends,
            run.seconds,
        ),
        migrations: run.migrations,
        differences: run.end.differences(should),
    })
}

fn on_machine<S: Scheme<Native>>(
    machine: &Machine<Native, S>,
    script: &Script,
    plan: Plan,
    migrate: bool,
    stop: &AtomicBool,
) -> Result<Run, ReplayError> {
    let mut tools = machine.vcpu().map_err(|_| ReplayError::TooLarge)?;
    let room = (script.spaces + 1) * plan.vcpus as u32;
    let kernel = Kernel::boot(&tools, room)?;
    let rendezvous = Rendezvous::new(S::CLAIMS.holds);
    let other = migrate.then(|| machine.guest().another_host());
    let begun = Instant::now();
    let (played, moved) = thread::scope(|scope| {
        let players: Vec<_> = (0..plan.vcpus)
            .map(|id| {
                let (kernel, rendezvous) = (&kernel, &rendezvous);
                scope.spawn(move || {
                    let mut vcpu = machine.vcpu().map_err(|_| ReplayError::TooLarge)?;
                    Ok(play(script, plan, id, &mut vcpu, kernel, rendezvous, stop))
                })
            })
            .collect();
        let moving = scope.spawn(|| match &other {
            Some(other) => migrations(plan, &mut tools, &kernel, &rendezvous, other),
            None => Default::default(),
        });
        let joined = players.into_iter().map(|p| p.join());
        let played: Result<Vec<_>, ReplayError> = joined
            .map(|p| p.unwrap_or(Err(ReplayError::TooLarge)))
            .collect();
        rendezvous.close();
        (played, moving.join())
    });
    let seconds = begun.elapsed().as_secs_f64();
    let (suspends, migrations) = moved.map_err(|_| ReplayError::TooLarge)?;
    let mut end = End::default();
    let mut clones = Vec::new();
    for (id, (clone, player)) in played?.into_iter().enumerate() {
        end.add(&tools, &kernel, id, player.spaces());
        clones.push(clone);
    }
    Ok(Run {
        clones,
        end,
        suspends,
        migrations,
        seconds,
    })
}

/// One vCPU's part. The player is returned with all its processes alive.
fn play<'k, S: Scheme<Native>>(
    script: &'k Script,
    plan: Plan,
    id: usize,
    vcpu: &mut Vcpu<'_, Native, S>,
    kernel: &'k Kernel<Native>,
    rendezvous: &Rendezvous,
    stop: &AtomicBool,
) -> (Clone, Player<'k, Native>) {
    let track = Track::new(injector(plan, id, rendezvous));
    let mut player = Player::new(script, kernel);
    let last = fullest(script);
    let mut writes = (id as u64) << 40;
    let mut caught = 0;
    let mut seen = vcpu.verdicts().stale_uses;
    let here = |player: &Player<'_, Native>| (player.passes, player.position());
    while here(&player) < (plan.passes - 1, last) && !stop.load(Relaxed) {
        let lens = Lens {
            vcpu: &*vcpu,
            track: &track,
        };
        let op = player.next_op();
        player.step(&lens);
        if let Some(op) = op {
            writes += 1;
            write(&lens, kernel, &player, op, writes);
        }
        vcpu.quiescent();
        if track.overtaken.replace(false) {
            let now = vcpu.verdicts().stale_uses;
            caught += u64::from(now > seen);
            seen = now;
        }
    }
    (Clone::of(&track, &player, caught), player)
}

/// What the guest writes after an operation, if anything.
fn write(
    mmu: &impl Mmu<Native>,
    kernel: &Kernel<Native>,
    player: &Player<'_, Native>,
    op: Op,
    what: u64,
) {
    let pfn = match op {
        Op::Alloc { frame } => player.frame(frame),
        Op::Enter {
            space,
            page,
            write: true,
            ..
        } => {
            // Where the mapping leads, not where it should.
            let va = Va::of_page(moved(page));
            let pmap = player.spaces()[space.0 as usize];
            pmap.and_then(|pmap| kernel.extract(mmu, pmap, va))
        }
        _ => None,
    };
    if let Some(pfn) = pfn {
        mmu.hold().access().fill(pfn, what);
    }
}

/// The tools' part: until the run is over, every so often and whenever one is asked for; and once more.
fn migrations<S: Scheme<Native>>(
    plan: Plan,
    vcpu: &mut Vcpu<'_, Native, S>,
    kernel: &Kernel<Native>,
    rendezvous: &Rendezvous,
    other: &Host<Native>,
) -> (Suspends, Vec<Migration>) {
    let mut rng = Rng::with_seed(!plan.seed);
    let (mut count, mut done) = <(Suspends, Vec<Migration>)>::default();
    loop {
        rendezvous.begin(Instant::now() + plan.every);
        let last = rendezvous.closed();
        // Nobody's hold is in the way before the last round.
        rendezvous.exclusive();
        let mut precopy = vcpu.precopy();
        while precopy.round() {}
        let mode = match count.done % 2 {
            0 => Mode::Fresh,
            _ => Mode::Deranged { seed: rng.u64(..) },
        };
        let asked = rendezvous.begin(Instant::now());
        match stop_and_copy(vcpu, kernel, rendezvous, precopy, mode, other) {
            Ok(migration) => {
                count.done += 1;
                count.lost_tables += migration.lost_tables;
                done.push(migration);
            }
            Err(_) => count.failed += 1,
        }
        rendezvous.over(Some(asked));
        if last {
            return (count, done);
        }
    }
}

/// The part of a migration in which the guest does not run.
fn stop_and_copy<S: Scheme<Native>>(
    vcpu: &mut Vcpu<'_, Native, S>,
    kernel: &Kernel<Native>,
    rendezvous: &Rendezvous,
    precopy: Precopy<'_, Native>,
    mode: Mode,
    to: &Host<Native>,
) -> Result<Migration, SuspendError> {
    let mut last = Instant::now();
    let mut lap = || {
        let now = Instant::now();
        let us = now.duration_since(last).as_secs_f64() * 1e6;
        last = now;
        us
    };
    let mut suspending = pre_suspend(vcpu, kernel)?;
    rendezvous.exclusive();
    let exclusivity_us = lap();
    let mut last_round_us = 0.0;
    let migrated = suspending.migrate(precopy, mode, to, |stream| {
        last_round_us = lap();
        stream
    });
    let restore_us = lap();
    let outcome = migrated.as_ref().map_or(Outcome::Cancelled, |m| m.outcome);
    suspending.post_suspend(outcome)?;
    let resume_us = lap();
    let migrated = migrated?;
    let lost_tables = match migrated.outcome {
        Outcome::Resumed { lost_tables } => lost_tables,
        Outcome::Cancelled => 0,
    };
    Ok(Migration {
        rounds: migrated.rounds.into_iter().map(RoundRow::from).collect(),
        octets: migrated.octets,
        lost_tables,
        exclusivity_us,
        last_round_us,
        restore_us,
        resume_us,
    })
}
