//! The tools' part in a replay: migrations from one host to the other and back.

use super::moved::{Migration, RoundRow};
use super::plan::Plan;
use super::rendezvous::{Met, Rendezvous};
use super::suspends::Suspends;
use crate::backend::Native;
use crate::pmap::Kernel;
use crate::scheme::Scheme;
use crate::suspend::{SuspendError, pre_suspend};
use crate::xen::host::Host;
use crate::xen::stream::Precopy;
use crate::xen::{Mode, Outcome, Vcpu};
use fastrand::Rng;
use std::time::Instant;

/// The tools' part: until the run is over, every so often and whenever one is asked for; and once more.
pub(super) fn migrations<S: Scheme<Native>>(
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
        let precopy = vcpu.precopy().map(|mut precopy| {
            while precopy.round() {}
            precopy
        });
        let mode = match count.done % 2 {
            0 => Mode::Fresh,
            _ => Mode::Deranged { seed: rng.u64(..) },
        };
        let asked = rendezvous.begin(Instant::now());
        let moved = precopy
            .map_err(SuspendError::from)
            .and_then(|precopy| stop_and_copy(vcpu, kernel, rendezvous, precopy, mode, other));
        let met = match moved {
            Ok(migration) => {
                count.done += 1;
                count.lost_tables += migration.lost_tables;
                done.push(migration);
                Met::Overtaken
            }
            Err(_) => {
                count.failed += 1;
                Met::Expired
            }
        };
        rendezvous.over(asked, Some(met));
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
