//! What a vCPU has in hand: how deep it is in holds, and how many updates it has queued.
//!
//! Plain holds are not counted: that would cost every scheme the same, and hide the cheapest. A vCPU
//! seen through [`Watched`] counts its own, and is then no stranger when the domain is suspended: see
//! [`Broken`](super::Broken). Queues are always counted, since a queue is not on the path of a hold.
//!
//! Who writes what: `depth`, `deepest` and `queued` are their vCPU's own, but that the suspender counts
//! down what it flushes for others; what was caught is written by
//! the one that suspends, while nobody is in Xen.

use super::domain::VcpuState;
use super::mmu::{Held, Mmu};
use crate::backend::{Atomic, Backend};
use core::sync::atomic::Ordering::Relaxed;

/// The counts of one vCPU.
#[derive(Debug)]
pub(super) struct Watch<B: Backend> {
    /// Holds within holds, now.
    pub(super) depth: B::U64,
    /// The most there ever were.
    pub(super) deepest: B::U64,
    /// Updates that wait in its queues.
    queued: B::U64,
    /// How often it was in a hold when the domain was suspended.
    pub(super) held_at_suspend: B::U64,
    /// How many updates it had queued then, in all.
    pub(super) queued_at_suspend: B::U64,
}

impl<B: Backend> Watch<B> {
    pub(super) fn new() -> Self {
        Self {
            depth: B::U64::new(0),
            deepest: B::U64::new(0),
            queued: B::U64::new(0),
            held_at_suspend: B::U64::new(0),
            queued_at_suspend: B::U64::new(0),
        }
    }

    fn enter(&self) {
        let depth = self.depth.load(Relaxed) + 1;
        self.depth.store(depth, Relaxed);
        if depth > self.deepest.load(Relaxed) {
            self.deepest.store(depth, Relaxed);
        }
    }

    fn leave(&self) {
        self.depth.store(self.depth.load(Relaxed) - 1, Relaxed);
    }

    /// One update was queued.
    pub(super) fn queue(&self) {
        self.queued.store(self.queued.load(Relaxed) + 1, Relaxed);
    }

    /// So many went: done, refused, or thrown away.
    pub(super) fn unqueue(&self, updates: usize) {
        // In a control a queue may be flushed under its owner's hands, and the count be anything.
        let left = self.queued.load(Relaxed).saturating_sub(updates as u64);
        self.queued.store(left, Relaxed);
    }

    /// The domain is being suspended: counts what this vCPU should not have in hand.
    pub(super) fn suspend(&self) {
        let more = |count: &B::U64, by: u64| count.store(count.load(Relaxed) + by, Relaxed);
        if self.depth.load(Relaxed) > 0 {
            more(&self.held_at_suspend, 1);
        }
        match self.queued.load(Relaxed) {
            0 => {}
            queued => more(&self.queued_at_suspend, queued),
        }
    }
}

/// A vCPU whose holds are counted: for tests, since it costs a hold a few stores.
///
/// ```
/// # use ptom::{backend::Native, scheme::unprotected::Unprotected, xen::*};
/// # let machine = Machine::<Native, Unprotected>::new(Config::small()).unwrap();
/// let vcpu = machine.vcpu().unwrap();
/// let watched = Watched::new(&vcpu);
/// let hold = watched.hold();
/// assert_eq!(machine.guest().broken()[0].to_string(), "I4: vCPU 0 is 1 deep in holds at rest");
/// drop(hold);
/// assert_eq!(machine.guest().broken(), []);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Watched<'v, V>(&'v V);

impl<'v, V> Watched<'v, V> {
    /// Watches a vCPU.
    pub fn new(vcpu: &'v V) -> Self {
        Self(vcpu)
    }
}

/// A hold that is counted.
#[derive(Debug)]
#[must_use = "dropping the guard ends the hold"]
pub struct Section<'h, B: Backend, G> {
    vcpu: &'h VcpuState<B>,
    _guard: G,
}

impl<B: Backend, G> Drop for Section<'_, B, G> {
    fn drop(&mut self) {
        self.vcpu.watch.leave();
    }
}

impl<B: Backend, V: Mmu<B>> Mmu<B> for Watched<'_, V> {
    type Guard<'h>
        = Section<'h, B, V::Guard<'h>>
    where
        Self: 'h;

    fn hold(&self) -> Held<'_, B, Self::Guard<'_>> {
        let Held { cpu, _guard } = self.0.hold();
        cpu.state.watch.enter();
        Held {
            cpu,
            _guard: Section {
                vcpu: cpu.state,
                _guard,
            },
        }
    }

    fn preemption_point(&self) {
        self.0.preemption_point();
    }
}
