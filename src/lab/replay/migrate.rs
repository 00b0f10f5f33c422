//! Replaying a trace while the guest is migrated between two hosts, back and forth.
//!
//! Every vCPU runs a clone of the trace, and writes: a page when it is taken, and again when a process
//! is given a writable mapping of it, **through that mapping**. One more vCPU plays the tools. All stop
//! in the last pass where most pages are in use; the guest is migrated once more, and every page of
//! every process is compared with that of a run that nobody disturbed ([`End`]).
//!
//! What each write holds follows from the clone and the write's number alone, so the runs are equal if
//! every write and every mapping is where it belongs, and nothing else would make them so.

use super::clones::{Clone, beside, injector};
use super::end::{End, fullest};
use super::lens::{Lens, Track};
use super::moved::{Migration, Moved};
use super::plan::{Plan, ReplayError, machine_for};
use super::player::{Player, moved};
use super::rendezvous::Rendezvous;
use super::replayed::tally;
use super::suspends::Suspends;
use super::tools::migrations;
use crate::backend::Native;
use crate::lab::trace::{Op, Script};
use crate::pmap::Kernel;
use crate::scheme::Scheme;
use crate::scheme::unprotected::Unprotected;
use crate::xen::{Machine, Mmu, Va, Vcpu};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

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
    let one = |id| {
        let mut vcpu = machine.vcpu().map_err(|_| ReplayError::TooLarge)?;
        Ok(play(
            script,
            plan,
            id,
            &mut vcpu,
            &kernel,
            &rendezvous,
            stop,
        ))
    };
    let (played, moved) = beside(plan.vcpus, &rendezvous, one, || match &other {
        Some(other) => migrations(plan, &mut tools, &kernel, &rendezvous, other),
        None => Default::default(),
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    let (suspends, migrations) = moved;
    let mut end = End::default();
    let mut clones = Vec::new();
    for (id, (clone, player)) in played.into_iter().enumerate() {
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
    let (mut caught, mut ops) = (0, 0);
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
        ops += 1;
        if ops % plan.quiescent_every == 0 {
            vcpu.quiescent();
        }
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
