//! The suspend protocol: `pre_suspend`, [`Suspending`], `post_suspend`.
//!
//! In Solaris's order (`xen_suspend_domain`), with two corrections:
//!
//! 1. **exclusivity**: the scheme's [`suspend`](crate::scheme::Reader::suspend) waits for every hold
//!    to end; taken before CPUs are stopped, since a stopped reader never ends its hold;
//! 2. what lies outside of any hold: start_info's rings and drivers' MFNs become PFNs
//!    ([`Kernel::drivers`](crate::pmap::Kernel::drivers)). These come first since they cannot fail: whatever
//!    fails later is undone with them;
//! 3. every vCPU's queue of updates is flushed ([`Kernel::queues`](crate::pmap::Kernel::queues));
//! 4. the alternate slots that are set are cleared (NetBSD's `pmap_xen_suspend`); recursive slots, where
//!    the tools cannot carry what is in them: see [`Kernel::carries_recursive`];
//! 5. shared_info is unmapped;
//! 6. start_info's own MFN is read, **after** exclusivity: Solaris and NetBSD read it before, and a
//!    suspend that came in between would make it stale;
//! 7. the hypercall.
//!
//! Then all of it backwards, in the next incarnation or, after a **cancelled** suspend, in this one:
//! there the rings become MFNs again, which Solaris and NetBSD did not do (they crashed the guest). In a next
//! incarnation the P2M's frame list is made anew besides. A build with debug assertions looks then whether
//! I4 and I7 hold ([`xen::Broken`](crate::xen::Broken)), if the scheme claims to, and panics if not; I3 the
//! restore itself looks at.
//!
//! Source: illumos `usr/src/uts/i86xpv/os/xen_machdep.c`; Linux `xen_arch_post_suspend(cancelled)`.

#![forbid(unsafe_code)]

use crate::backend::Backend;
use crate::pmap::{Kernel, PmapError};
use crate::scheme::{Reader, Scheme};
use crate::xen::host::Host;
use crate::xen::save::Failed;
use crate::xen::stream::{Migrated, Precopy};
use crate::xen::{Held, Mmu, Mode, Outcome, Suspended, Vcpu};
use alloc::vec::Vec;
use core::fmt;

/// Why a guest is not suspended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuspendError {
    /// The kernel's preparations were refused.
    Pmap(PmapError),
    /// The tools could not save or restore it.
    Tools(Failed),
}

impl From<PmapError> for SuspendError {
    fn from(error: PmapError) -> Self {
        SuspendError::Pmap(error)
    }
}

impl From<Failed> for SuspendError {
    fn from(failed: Failed) -> Self {
        SuspendError::Tools(failed)
    }
}

impl fmt::Display for SuspendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SuspendError::Pmap(error) => write!(f, "suspend: {error}"),
            SuspendError::Tools(failed) => failed.fmt(f),
        }
    }
}

impl core::error::Error for SuspendError {}

/// A guest ready to be saved: nobody holds, and what the tools cannot carry is put away.
///
/// The suspender may translate here, as Solaris's may: it is an [`Mmu`].
#[derive(Debug)]
#[must_use = "call `hypercall`, then `post_suspend`; dropping it resumes a guest that is half put away"]
pub struct Suspending<'v, 'm, B: Backend, W> {
    world: Suspended<'v, 'm, B, W>,
    kernel: &'v Kernel<B>,
    /// Whether the scheme claims to hold.
    sound: bool,
}

/// The world of a vCPU's scheme while it is suspended.
type World<'v, 'm, B, S> = <<S as Scheme<B>>::Reader<'m> as Reader>::Suspended<'v>;

/// Waits until nobody holds, and prepares the guest for the tools.
///
/// # Errors
/// [`SuspendError::Pmap`] if Xen refuses a step; what was done is undone as far as Xen lets us, and
/// the guest goes on.
pub fn pre_suspend<'v, 'm, B: Backend, S: Scheme<B>>(
    vcpu: &'v mut Vcpu<'m, B, S>,
    kernel: &'v Kernel<B>,
) -> Result<Suspending<'v, 'm, B, World<'v, 'm, B, S>>, SuspendError> {
    let suspending = Suspending {
        world: vcpu.suspend(),
        kernel,
        sound: S::CLAIMS.holds,
    };
    match suspending.put_away() {
        Ok(()) => Ok(suspending),
        Err(error) => {
            // The first error is the one to tell.
            let _ = suspending.take_out(Outcome::Cancelled);
            Err(error.into())
        }
    }
}

impl<'m, B: Backend, W: crate::scheme::Translate> Suspending<'_, 'm, B, W> {
    fn put_away(&self) -> Result<(), PmapError> {
        self.world.canonicalise_rings();
        self.kernel.settle(self.world.hold().access())?;
        self.kernel.clear_alternate(&self.world)?;
        if !self.kernel.carries_recursive() {
            self.kernel.clear_recursive(&self.world)?;
        }
        self.kernel.unmap_shared_info(self.world.hold().access())
    }

    fn take_out(&self, outcome: Outcome) -> Result<(), PmapError> {
        if outcome == Outcome::Cancelled {
            self.world.localise_rings();
        }
        self.kernel.unsettle(self.world.hold().access());
        self.kernel.map_shared_info(self.world.hold().access())?;
        if outcome != Outcome::Cancelled {
            self.kernel.build_frame_list(self.world.hold().access())?;
        }
        if !self.kernel.carries_recursive() {
            self.kernel.restore_recursive(&self.world)?;
        }
        Ok(())
    }

    /// The suspend hypercall: returns in the next incarnation, or in this one if cancelled.
    ///
    /// # Errors
    /// [`SuspendError::Tools`]: a guest that was not saved goes on where it was (undo with
    /// [`post_suspend`](Self::post_suspend) and [`Outcome::Cancelled`]); one that was not restored
    /// is in pieces.
    pub fn hypercall(&mut self, mode: Mode) -> Result<Outcome, SuspendError> {
        let register = self.world.start_info().ok_or(PmapError::Nothing)?;
        Ok(self.world.hypercall(register, mode)?)
    }

    /// As [`hypercall`](Self::hypercall), by way of a migration stream that `carry` brings to the other
    /// side: see [`Suspended::hypercall_by`].
    ///
    /// # Errors
    /// As [`hypercall`](Self::hypercall).
    pub fn hypercall_by(
        &mut self,
        mode: Mode,
        carry: impl FnOnce(Vec<u8>) -> Vec<u8>,
    ) -> Result<Outcome, SuspendError> {
        let register = self.world.start_info().ok_or(PmapError::Nothing)?;
        Ok(self.world.hypercall_by(register, mode, carry)?)
    }

    /// As [`hypercall`](Self::hypercall), at the end of a live migration to the machine `to`: see
    /// [`Suspended::migrate`].
    ///
    /// # Errors
    /// As [`hypercall`](Self::hypercall).
    ///
    /// # Panics
    /// If `to` is not of this machine's size.
    pub fn migrate(
        &mut self,
        precopy: Precopy<'_, B>,
        mode: Mode,
        to: &Host<B>,
        carry: impl FnOnce(Vec<u8>) -> Vec<u8>,
    ) -> Result<Migrated, SuspendError> {
        let register = self.world.start_info().ok_or(PmapError::Nothing)?;
        Ok(self.world.migrate(register, precopy, mode, to, carry)?)
    }

    /// Takes out again what [`pre_suspend`] put away, and resumes: readers that waited go on.
    ///
    /// # Errors
    /// [`SuspendError::Pmap`] if Xen refuses a step; readers go on all the same.
    ///
    /// # Panics
    /// With debug assertions, if I4 or I7 does not hold after a restore that lost no table, under a scheme that claims so.
    pub fn post_suspend(self, outcome: Outcome) -> Result<(), SuspendError> {
        self.take_out(outcome)?;
        // A guest that lost tables is broken, and was told.
        let whole = outcome == Outcome::Resumed { lost_tables: 0 };
        if cfg!(debug_assertions) && self.sound && whole {
            self.look();
        }
        Ok(())
    }

    /// I4 and I7, while nobody holds.
    fn look(&self) {
        let mut broken = self.world.hold().access().guest().at_rest();
        broken.extend(self.kernel.broken(&self.world));
        if let Some(first) = broken.first() {
            panic!("after a restore: {first}");
        }
    }
}

impl<B: Backend, W: crate::scheme::Translate> Mmu<B> for Suspending<'_, '_, B, W> {
    type Guard<'h>
        = W::Hold<'h>
    where
        Self: 'h;

    fn hold(&self) -> Held<'_, B, W::Hold<'_>> {
        self.world.hold()
    }
}

/// The whole protocol once.
///
/// # Errors
/// Those of its steps.
pub fn suspend<B: Backend, S: Scheme<B>>(
    vcpu: &mut Vcpu<'_, B, S>,
    kernel: &Kernel<B>,
    mode: Mode,
) -> Result<Outcome, SuspendError> {
    let mut suspending = pre_suspend(vcpu, kernel)?;
    let outcome = suspending.hypercall(mode);
    let undone = suspending.post_suspend(outcome.unwrap_or(Outcome::Cancelled));
    // The first error is the one to tell: a guest in pieces cannot undo anything.
    let outcome = outcome?;
    undone.map(|()| outcome)
}
