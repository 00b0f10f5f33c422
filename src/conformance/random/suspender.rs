//! One suspend, of every kind that there is.

use super::world::{ANCHOR, Notes, Shared};
use super::{Fences, Random};
use crate::pmap::Kernel;
use crate::scheme::Scheme;
use crate::suspend::{SuspendError, pre_suspend};
use crate::xen::restore::Register;
use crate::xen::save::Failed;
use crate::xen::{Mmu, Mode, Outcome, Vcpu};
use fastrand::Rng;

/// How a suspend goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The whole protocol; the tools do as the mode says.
    Whole(Mode),
    /// The tools refuse to save: the register names another page than start_info.
    Refused,
}

impl Kind {
    /// Any of them; in most, frames change.
    pub(super) fn any(rng: &mut Rng) -> Self {
        match rng.u8(0..6) {
            0 | 1 => Self::Whole(Mode::Fresh),
            2 | 3 => Self::Whole(Mode::Deranged { seed: rng.u64(..) }),
            4 => Self::Whole(Mode::Cancelled),
            _ => Self::Refused,
        }
    }
}

/// Suspends and resumes.
pub(super) fn once<F: Fences, S: Scheme<Random<F>>>(
    kind: Kind,
    vcpu: &mut Vcpu<'_, Random<F>, S>,
    kernel: &Kernel<Random<F>>,
    shared: Shared,
    notes: &Notes,
) {
    let expected = match kind {
        Kind::Whole(mode) => match whole(mode, vcpu, kernel, shared, notes) {
            Ok(Outcome::Cancelled) => mode == Mode::Cancelled,
            Ok(Outcome::Resumed { lost_tables }) => {
                notes.note(|found| found.lost_tables += lost_tables);
                mode != Mode::Cancelled
            }
            Err(_) => false,
        },
        Kind::Refused => refused(vcpu, shared) == Some(Err(Failed::StartInfo)),
    };
    if !expected {
        notes.note(|found| found.failed_suspends += 1);
    }
}

/// The protocol, in which the suspender also translates.
fn whole<F: Fences, S: Scheme<Random<F>>>(
    mode: Mode,
    vcpu: &mut Vcpu<'_, Random<F>, S>,
    kernel: &Kernel<Random<F>>,
    shared: Shared,
    notes: &Notes,
) -> Result<Outcome, SuspendError> {
    let mut suspending = pre_suspend(vcpu, kernel)?;
    let outcome = suspending.hypercall(mode);
    let seen = kernel.extract(&suspending, shared.space, ANCHOR);
    if seen != Some(shared.anchor) {
        notes.note(|found| found.wrong_mappings += 1);
    }
    suspending.post_suspend(outcome.unwrap_or(Outcome::Cancelled))?;
    outcome
}

/// Exclusivity, and a hypercall that the tools refuse; nothing was put away, so nothing is undone.
fn refused<F: Fences, S: Scheme<Random<F>>>(
    vcpu: &mut Vcpu<'_, Random<F>, S>,
    shared: Shared,
) -> Option<Result<Outcome, Failed>> {
    let mut suspended = vcpu.suspend();
    let wrong = suspended.hold().mfn(shared.anchor).map(Register::from)?;
    Some(suspended.hypercall(wrong, Mode::Fresh))
}
