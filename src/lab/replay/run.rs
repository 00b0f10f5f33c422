//! A whole replay under one scheme, with suspends.

use super::clones::{Clone, beside, injector};
use super::lens::{Lens, Track};
use super::plan::{Plan, ReplayError, machine_for};
use super::player::Player;
use super::rendezvous::Rendezvous;
use super::replayed::{Replayed, tally};
use super::suspends::suspends;
use crate::backend::Native;
use crate::lab::trace::Script;
use crate::pmap::Kernel;
use crate::scheme::Scheme;
use crate::xen::Vcpu;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

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
    let one = |id| {
        let mut vcpu = machine.vcpu().map_err(|_| ReplayError::TooLarge)?;
        Ok(clone(
            script,
            plan,
            id,
            &mut vcpu,
            &kernel,
            &rendezvous,
            stop,
        ))
    };
    let (clones, suspends) = beside(plan.vcpus, &rendezvous, one, || {
        suspends(plan, &mut suspender, &kernel, &rendezvous)
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    drop(suspender);
    Ok(tally::<S>(
        script, plan, &machine, &clones, &suspends, seconds,
    ))
}

/// One vCPU's part.
fn clone<S: Scheme<Native>>(
    script: &Script,
    plan: Plan,
    id: usize,
    vcpu: &mut Vcpu<'_, Native, S>,
    kernel: &Kernel<Native>,
    rendezvous: &Rendezvous,
    stop: &AtomicBool,
) -> Clone {
    let track = Track::new(injector(plan, id, rendezvous));
    let mut player = Player::new(script, kernel);
    let (mut caught, mut ops) = (0, 0);
    let mut seen = vcpu.verdicts().stale_uses;
    while player.passes < plan.passes && !stop.load(Relaxed) {
        player.step(&Lens {
            vcpu: &*vcpu,
            track: &track,
        });
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
    Clone::of(&track, &player, caught)
}
