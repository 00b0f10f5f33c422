//! `percpu_rwsem`: two modes. Readers go without a fence while no suspend is near, and with one after it.
//!
//! As [`percpu_asym`](super::percpu_asym), but the heavy fence is paid for once for several suspends: the
//! first shuts the gate, tells the readers to execute a fence of their own from now on, and makes those
//! that have not heard it execute one, by `membarrier(2)`. Until a reader has made
//! [`slow_holds`](super::Tables) holds that way and lets all go without again, each suspend costs one
//! ordinary fence, and each hold too.
//!
//! So it suits suspends that come in bursts (pre-copy rounds, retries of a cancelled save). It nests, at the
//! price of two plain stores.
//!
//! # Reader against suspender
//!
//! While the gate is clear and readers go without a fence: as `percpu_asym`. While the gate says `FENCED`:
//!
//! | reader | suspender |
//! |---|---|
//! | `count.store(n + 1)` | `gate.close()` |
//! | `fence(SeqCst)` | `fence(SeqCst)` |
//! | `gate.closed()` | `count.load()` |
//!
//! as [`percpu`](super::percpu). What is new is the change of mode. A suspender that finds `FENCED` while it has
//! the gate shut relies on nobody having gone in without a fence since it was set: to be let in so a reader
//! must have read the word as 0. Either it read it before the heavy fence of the suspend that set `FENCED`: then its count was
//! seen by that suspender, which waited. Or it read a 0 that was written later: then the gate is not `FENCED` any
//! more, for it is cleared from exactly `FENCED` to 0, and this suspender would find that.
//!
//! Source: Linux `percpu_rw_semaphore` and `rcu_sync` (`kernel/locking/percpu-rwsem.c`, `kernel/rcu/sync.c`),
//! which waits for a grace period where this has membarrier, does not nest, and goes back to its fast mode a
//! grace period after the last writer, where this, having no clock, counts holds.

use super::{Alone, Claims, Describe, Full, Reader, Scheme, Size, Translate};
use crate::backend::{Atomic, Backend};
use crate::primitive::{Gate, Shut, Slots, drain};
use core::cell::Cell;
use core::sync::atomic::Ordering::{Relaxed, Release, SeqCst};

/// A count a reader, and a gate that remembers the mode.
#[derive(Debug)]
pub struct PerCpuRwSem<B: Backend> {
    gate: Gate<B>,
    /// Live holds of a reader; written by its reader only.
    counts: Slots<B, B::U64>,
    /// Holds with a fence that a reader makes before it asks for the mode without.
    slow_holds: u32,
}

impl<B: Backend> Describe for PerCpuRwSem<B> {
    const NAME: &'static str = "percpu_rwsem";
    const PRECEDENT: &'static str =
        "Linux percpu_rw_semaphore: no fence while no writer is near, one after it";
    const CLAIMS: Claims = Claims {
        holds: true,
        nests: true,
        bounded_wait: true,
        sleeps_in_hold: true,
        snapshot_free_of_writes: false,
        needs_quiescence: false,
        suspends_alone: true,
        drop_ends_leaks: true,
    };
}

/// A registered reader.
#[derive(Debug)]
pub struct PerCpuRwSemReader<'s, B: Backend> {
    scheme: &'s PerCpuRwSem<B>,
    slot: usize,
    /// The same slot's count, so that a hold need not look it up.
    count: &'s B::U64,
    /// Holds with a fence, since this reader last asked for the other mode.
    slow: Cell<u32>,
}

/// A hold.
#[derive(Debug)]
#[must_use = "dropping the guard ends the hold"]
pub struct PerCpuRwSemHold<'h, B: Backend>(&'h PerCpuRwSemReader<'h, B>);

impl<B: Backend> Scheme<B> for PerCpuRwSem<B> {
    type Reader<'s> = PerCpuRwSemReader<'s, B>;

    fn new(size: Size) -> Self {
        Self {
            gate: Gate::new(!B::asymmetric()),
            counts: Slots::new(size.readers, || B::U64::new(0)),
            slow_holds: size.tables.slow_holds,
        }
    }

    fn reader(&self) -> Result<PerCpuRwSemReader<'_, B>, Full> {
        let slot = self.counts.claim()?;
        Ok(PerCpuRwSemReader {
            scheme: self,
            slot,
            count: self.counts.get(slot),
            slow: Cell::new(0),
        })
    }
}

impl<B: Backend> Drop for PerCpuRwSemReader<'_, B> {
    fn drop(&mut self) {
        // ORDERING: Release pairs with the Acquire in `drain`: it ends the hold of a leaked guard.
        self.count.store(0, Release);
        self.scheme.counts.release(self.slot);
    }
}

impl<B: Backend> PerCpuRwSemReader<'_, B> {
    /// The gate was not clear, and this is an outermost hold, announced.
    #[cold]
    fn enter_slow(&self) {
        let gate = &self.scheme.gate;
        loop {
            // ORDERING: SeqCst pairs with the fence in `suspend` where the gate is fenced; both orders are
            // argued above. Where it is not, it is shut, and we do not go in.
            B::fence(SeqCst);
            if !gate.closed() {
                return self.count_slow();
            }
            // Relaxed is enough: the fence since our last hold orders that hold before this store.
            self.count.store(0, Relaxed);
            gate.wait();
            self.count.store(1, Relaxed);
        }
    }

    /// Lets readers go without a fence again, once this one has executed enough of them.
    fn count_slow(&self) {
        let slow = self.slow.get() + 1;
        if slow < self.scheme.slow_holds || !B::asymmetric() {
            return self.slow.set(slow.min(self.scheme.slow_holds));
        }
        self.slow.set(0);
        self.scheme.gate.unfence();
    }
}

impl<B: Backend> Translate for PerCpuRwSemReader<'_, B> {
    type Hold<'h>
        = PerCpuRwSemHold<'h, B>
    where
        Self: 'h;

    #[inline]
    fn hold(&self) -> PerCpuRwSemHold<'_, B> {
        let count = self.count.load(Relaxed);
        self.count.store(count + 1, Relaxed);
        // ORDERING: pairs with the heavy fence in `suspend`, as in `percpu_asym`.
        B::light_fence();
        if !self.scheme.gate.clear() && count == 0 {
            self.enter_slow();
        }
        PerCpuRwSemHold(self)
    }
}

impl<B: Backend> Drop for PerCpuRwSemHold<'_, B> {
    #[inline]
    fn drop(&mut self) {
        let count = &self.0.count;
        // ORDERING: Release pairs with the Acquire in `drain`: whoever sees the 0 sees all that the
        // hold did. If the suspender looks first, it sees the count, and looks again.
        count.store(count.load(Relaxed) - 1, Release);
    }
}

impl<B: Backend> Reader for PerCpuRwSemReader<'_, B> {
    type Suspended<'r>
        = Alone<Shut<'r, B>>
    where
        Self: 'r;

    fn suspend(&mut self) -> Alone<Shut<'_, B>> {
        assert_eq!(
            self.count.load(Relaxed),
            0,
            "a guard of this reader was leaked"
        );
        let scheme = self.scheme;
        let shut = scheme.gate.close();
        if scheme.gate.fenced() {
            // ORDERING: SeqCst pairs with the fence in `enter_slow`; both orders are argued above.
            B::fence(SeqCst);
        } else {
            shut.fence_readers();
            // ORDERING: pairs with the light fence in `hold`, as in `percpu_asym`.
            B::heavy_fence();
        }
        drain::<B>(scheme.counts.iter(), |count| count == 0);
        Alone(shut)
    }
}
