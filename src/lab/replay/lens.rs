//! A vCPU seen through a lens: it counts holds, and stops at chosen preemption points.

use super::rendezvous::{Met, Rendezvous};
use crate::backend::Backend;
use crate::xen::{Held, Mmu};
use fastrand::Rng;
use std::cell::{Cell, RefCell};

/// On average one preemption point in this many is an injection, until the cap is reached.
const SPACING: u64 = 64;

/// Where the next injection is.
#[derive(Debug)]
pub(super) struct Injector<'r> {
    rendezvous: &'r Rendezvous,
    rng: Rng,
    /// Preemption points until the next one.
    until_next: u64,
    /// Injections left.
    left: u64,
    pub(super) injected: u64,
    pub(super) expired: u64,
}

impl<'r> Injector<'r> {
    /// At most `cap` injections, at points that follow from `seed`.
    pub(super) fn new(rendezvous: &'r Rendezvous, cap: u64, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        Self {
            until_next: rng.u64(1..2 * SPACING),
            rng,
            rendezvous,
            left: cap,
            injected: 0,
            expired: 0,
        }
    }

    /// Returns whether a suspend overtook this point.
    fn point(&mut self) -> bool {
        if self.left == 0 {
            return false;
        }
        self.until_next -= 1;
        if self.until_next > 0 {
            return false;
        }
        self.until_next = self.rng.u64(1..2 * SPACING);
        self.left -= 1;
        self.injected += 1;
        let met = self.rendezvous.meet();
        self.expired += u64::from(met == Met::Expired);
        met == Met::Overtaken
    }
}

/// What is known of a vCPU's run so far.
#[derive(Debug)]
pub(super) struct Track<'r> {
    pub(super) holds: Cell<u64>,
    pub(super) injector: RefCell<Injector<'r>>,
    /// A suspend overtook the operation under way.
    pub(super) overtaken: Cell<bool>,
}

impl<'r> Track<'r> {
    pub(super) fn new(injector: Injector<'r>) -> Self {
        Self {
            holds: Cell::new(0),
            injector: RefCell::new(injector),
            overtaken: Cell::new(false),
        }
    }
}

/// A vCPU, counted and perhaps injected into.
#[derive(Debug)]
pub(super) struct Lens<'v, 'r, M> {
    pub(super) vcpu: &'v M,
    pub(super) track: &'v Track<'r>,
}

impl<B: Backend, M: Mmu<B>> Mmu<B> for Lens<'_, '_, M> {
    type Guard<'h>
        = M::Guard<'h>
    where
        Self: 'h;

    fn hold(&self) -> Held<'_, B, M::Guard<'_>> {
        self.track.holds.set(self.track.holds.get() + 1);
        self.vcpu.hold()
    }

    fn preemption_point(&self) {
        if self.track.injector.borrow_mut().point() {
            self.track.overtaken.set(true);
        }
    }
}
