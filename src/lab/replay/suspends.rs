//! The suspender's part in a replay.

use super::plan::Plan;
use super::rendezvous::{Met, Rendezvous};
use crate::backend::Native;
use crate::pmap::Kernel;
use crate::scheme::Scheme;
use crate::suspend::{SuspendError, pre_suspend};
use crate::xen::{Mode, Outcome, Vcpu};
use fastrand::Rng;
use std::time::{Duration, Instant};

/// What came of them.
#[derive(Default)]
pub(super) struct Suspends {
    pub(super) done: u64,
    pub(super) cancelled: u64,
    pub(super) failed: u64,
    pub(super) lost_tables: u64,
    /// How long each waited to be alone, in the order in which they came.
    pub(super) waits: Vec<Duration>,
}

/// Until the run is over, every so often and whenever one is asked for.
pub(super) fn suspends<S: Scheme<Native>>(
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
            rendezvous.over(asked, None);
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
        let waits = &mut count.waits;
        let met = match once(vcpu, kernel, rendezvous, mode, waits) {
            Ok(Outcome::Resumed { lost_tables }) => {
                count.lost_tables += lost_tables;
                count.done += 1;
                Some(Met::Overtaken)
            }
            Ok(Outcome::Cancelled) => {
                count.done += 1;
                count.cancelled += 1;
                None
            }
            Err(_) => {
                count.failed += 1;
                Some(Met::Expired)
            }
        };
        rendezvous.over(asked, met);
    }
    count
}

fn once<S: Scheme<Native>>(
    vcpu: &mut Vcpu<'_, Native, S>,
    kernel: &Kernel<Native>,
    rendezvous: &Rendezvous,
    mode: Mode,
    waits: &mut Vec<Duration>,
) -> Result<Outcome, SuspendError> {
    let asked = Instant::now();
    let mut suspending = pre_suspend(vcpu, kernel)?;
    waits.push(asked.elapsed());
    rendezvous.exclusive();
    let outcome = suspending.hypercall(mode);
    suspending.post_suspend(outcome.unwrap_or(Outcome::Cancelled))?;
    outcome
}
