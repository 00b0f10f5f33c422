//! A reader's live holds, counted in a word of its own.
//!
//! A hold is announced by a store, with a light fence or a full one, and ends with a plain store. A
//! suspender shuts the [`Gate`], executes the fence that pairs with that one, and [`drain`]s the words.
//!
//! The owner is read at every hold, and so has no cell in it: the compiler keeps its addresses in registers
//! only while nothing that a hold stores could be one of them (a counter beside them adds three loads to
//! a hold). What a scheme keeps for each reader lies in the reader's slot.

use super::{Full, Gate, Slots, drain};
use crate::backend::{Atomic, Backend};
use core::cell::Cell;
use core::marker::PhantomData;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// One reader's line: its count, and what else the scheme keeps for it.
#[derive(Debug)]
struct Own<B: Backend, T> {
    /// Live holds; written by the owner only.
    count: B::U64,
    more: T,
}

/// The counts of all readers.
#[derive(Debug)]
pub struct Counts<B: Backend, T>(Slots<B, Own<B, T>>);

/// A claimed count. Dropping it ends its holds, and gives the slot back.
#[derive(Debug)]
pub struct Count<'s, B: Backend, T> {
    counts: &'s Counts<B, T>,
    slot: usize,
    /// The slot's line, so that a hold need not look it up.
    own: &'s Own<B, T>,
    not_sync: PhantomData<Cell<()>>,
}

impl<B: Backend, T> Counts<B, T> {
    /// Room for so many readers, with what `more` makes beside each count.
    pub fn new(readers: usize, mut more: impl FnMut() -> T) -> Self {
        let own = || Own {
            count: B::U64::new(0),
            more: more(),
        };
        Self(Slots::new(readers, own))
    }

    /// Claims a count, which is 0; O(readers).
    ///
    /// # Errors
    /// [`Full`] when there is none.
    pub fn claim(&self) -> Result<Count<'_, B, T>, Full> {
        let slot = self.0.claim()?;
        Ok(Count {
            counts: self,
            slot,
            own: self.0.get(slot),
            not_sync: PhantomData,
        })
    }

    /// Waits until each count has been 0 once.
    pub fn drain(&self) {
        drain::<B>(self.words(), |count| count == 0);
    }

    /// Whether every count is 0, looked at once.
    pub fn all_zero(&self) -> bool {
        // ORDERING: Acquire pairs with the Release that ends a hold, as that in `drain` does. Whoever is
        // seen inside stays there, and the caller gives up.
        self.words().all(|count| count.load(Acquire) == 0)
    }

    fn words(&self) -> impl Iterator<Item = &B::U64> {
        self.0.iter().map(|own| &own.count)
    }
}

impl<B: Backend, T> Count<'_, B, T> {
    /// Counts a hold. If the gate is not clear, `slow` is told how many there are round this one: only the
    /// outermost need think. (That one is asked there, so that others never are.)
    #[inline]
    pub fn begin(&self, gate: &Gate<B>, slow: impl FnOnce(u64)) {
        let around = self.own.count.load(Relaxed);
        self.announce(around + 1);
        if !gate.clear() {
            slow(around);
        }
    }

    /// Says that there are so many holds, for whoever executes a heavy fence.
    #[inline]
    pub fn announce(&self, holds: u64) {
        self.own.count.store(holds, Relaxed);
        // ORDERING: pairs with the heavy fence of a suspend, which comes between the closing of the gate and
        // the look at the counts. If it finds us after this store, the suspender sees the count, and waits;
        // if before our look at the gate, we see it shut.
        B::light_fence();
    }

    /// Counts a hold, the outermost with a full fence, and not before the gate is clear: for schemes whose
    /// suspenders execute no heavy one.
    #[inline]
    pub fn begin_fenced(&self, gate: &Gate<B>) {
        let around = self.own.count.load(Relaxed);
        if around != 0 {
            return self.own.count.store(around + 1, Relaxed);
        }
        loop {
            // ORDERING: its full fence pairs with that of a suspend, which comes between the closing of the
            // gate and the look at the counts. If it is first, the suspender sees the count, and waits; else
            // we see the gate shut.
            B::store_mb(&self.own.count, 1, Relaxed);
            if gate.clear() {
                return;
            }
            self.step_back(gate);
        }
    }

    /// Counts a hold's end.
    #[inline]
    pub fn end(&self) {
        let count = &self.own.count;
        // ORDERING: Release pairs with the Acquire in `drain`: whoever sees the 0 sees all that the
        // hold did. If the suspender looks first, it sees the count, and looks again.
        count.store(count.load(Relaxed) - 1, Release);
    }

    /// Takes an outermost hold's announcement back, and waits for the gate.
    #[cold]
    pub fn step_back(&self, gate: &Gate<B>) {
        // AUDIT: Release to Relaxed survives in percpu, percpu_asym, percpu_rwsem: the fence of the hold that steps back
        // comes between. In percpu_asym it is a light one, which loom takes for a full fence; it is a compiler
        // fence, and Arm would need the Release.
        // ORDERING: Release pairs with the Acquire in `drain`: the 0 that it sees may be this one, and
        // nothing else orders our last hold before it where the light fence is none.
        self.own.count.store(0, Release);
        gate.wait();
    }

    /// Whether its reader holds.
    pub fn holds(&self) -> bool {
        self.own.count.load(Relaxed) != 0
    }

    /// What the scheme keeps beside it.
    pub fn more(&self) -> &T {
        &self.own.more
    }
}

impl<B: Backend, T> Drop for Count<'_, B, T> {
    fn drop(&mut self) {
        // ORDERING: Release pairs with the Acquire in `drain`: it ends the hold of a leaked guard.
        self.own.count.store(0, Release);
        self.counts.0.release(self.slot);
    }
}
