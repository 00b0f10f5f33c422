//! `percpu` with one step left out: a look at the gate, its being shut, the drain, the wake-up.
//!
//! [`Intact`] leaves out nothing, and must pass what the others fail; but its gate is not made for
//! two suspenders.

use super::toy::Protocol;
use ptom::backend::{Atomic, Backend};
use ptom::scheme::Size;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};

/// Which steps are taken.
pub(super) trait Steps: Debug + Send + Sync + 'static {
    /// The twin's name.
    const NAME: &'static str;
    /// The reader looks at the gate after it has announced itself, and not before.
    const LOOKS_AFTER: bool = true;
    /// A reader that has waited announces itself and looks again.
    const LOOKS_AGAIN: bool = true;
    /// The suspender shuts the gate.
    const SHUTS: bool = true;
    /// The suspender waits for those inside.
    const DRAINS: bool = true;
    /// The suspender wakes those who wait.
    const WAKES: bool = true;
    /// The suspender passes the gate that it has shut, when it translates.
    const PASSES: bool = true;
    /// A reader leaves its word alone once it has unregistered.
    const LETS_GO: bool = true;
}

/// Every step.
#[derive(Debug)]
pub(super) struct Intact;
impl Steps for Intact {
    const NAME: &'static str = "gate";
}

/// The gate is not checked after the announcement.
#[derive(Debug)]
pub(super) struct LooksBefore;
impl Steps for LooksBefore {
    const NAME: &'static str = "gate-checked-before-announcing";
    const LOOKS_AFTER: bool = false;
}

/// The gate is not re-checked after waking.
#[derive(Debug)]
pub(super) struct LooksOnce;
impl Steps for LooksOnce {
    const NAME: &'static str = "gate-not-rechecked";
    const LOOKS_AGAIN: bool = false;
}

/// The gate is never shut: who is inside is waited for, and new ones come in.
#[derive(Debug)]
pub(super) struct Open;
impl Steps for Open {
    const NAME: &'static str = "gate-left-open";
    const SHUTS: bool = false;
}

/// Nobody is waited for.
#[derive(Debug)]
pub(super) struct Undrained;
impl Steps for Undrained {
    const NAME: &'static str = "gate-without-drain";
    const DRAINS: bool = false;
}

/// Nobody is woken.
#[derive(Debug)]
pub(super) struct Silent;
impl Steps for Silent {
    const NAME: &'static str = "gate-without-wake";
    const WAKES: bool = false;
}

/// The suspender waits at its own gate.
#[derive(Debug)]
pub(super) struct LockedOut;
impl Steps for LockedOut {
    const NAME: &'static str = "gate-shuts-suspender-out";
    const PASSES: bool = false;
}

/// A reader that unregisters gives its slot back first, and then says that it is outside.
#[derive(Debug)]
pub(super) struct Clinging;
impl Steps for Clinging {
    const NAME: &'static str = "gate-slot-cleared-late";
    const LETS_GO: bool = false;
}

/// The protocol.
#[derive(Debug)]
pub(super) struct Gated<B: Backend, D> {
    /// 1 while shut.
    gate: B::U32,
    /// 1 while that reader is inside.
    inside: Vec<B::U64>,
    steps: PhantomData<D>,
}

impl<B: Backend, D: Steps> Gated<B, D> {
    fn shut(&self) -> bool {
        self.gate.load(Acquire) == 1
    }

    fn sleep(&self) {
        while self.gate.load(Relaxed) == 1 {
            B::wait(&self.gate, 1);
        }
    }

    fn announce(&self, me: usize) {
        self.inside[me].store(1, Relaxed);
        B::fence(SeqCst);
    }
}

impl<B: Backend, D: Steps> Protocol<B> for Gated<B, D> {
    fn new(size: Size) -> Self {
        Self {
            gate: B::U32::new(0),
            inside: (0..size.readers).map(|_| B::U64::new(0)).collect(),
            steps: PhantomData,
        }
    }

    fn enter(&self, me: usize) {
        if !D::LOOKS_AFTER {
            while self.shut() {
                self.sleep();
            }
            return self.announce(me);
        }
        self.announce(me);
        while self.shut() {
            self.inside[me].store(0, Release);
            self.sleep();
            self.announce(me);
            if !D::LOOKS_AGAIN {
                return;
            }
        }
    }

    fn leave(&self, me: usize) {
        self.inside[me].store(0, Release);
    }

    fn suspend(&self, _: usize) {
        if D::SHUTS {
            self.gate.store(1, Relaxed);
        }
        B::fence(SeqCst);
        for inside in self.inside.iter().filter(|_| D::DRAINS) {
            while inside.load(Acquire) != 0 {
                B::relax(0);
            }
        }
    }

    fn resume(&self, _: usize) {
        self.gate.store(0, Release);
        if D::WAKES {
            B::wake_all(&self.gate);
        }
    }

    fn departed(&self, me: usize) {
        if !D::LETS_GO {
            self.leave(me);
        }
    }

    const SUSPENDER_HOLDS: bool = !D::PASSES;
}
