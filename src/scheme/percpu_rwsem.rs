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
use crate::primitive::{Count, Counts, Gate, Shut};
use core::sync::atomic::Ordering::{Relaxed, SeqCst};

/// A count a reader, and a gate that remembers the mode.
#[derive(Debug)]
#[repr(C)]
pub struct PerCpuRwSem<B: Backend> {
    gate: Gate<B>,
    /// Beside each count: holds with a fence since its reader last asked for the other mode.
    counts: Counts<B, B::U32>,
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
    count: Count<'s, B, B::U32>,
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
            counts: Counts::new(size.readers, || B::U32::new(0)),
            slow_holds: size.tables.slow_holds,
        }
    }

    fn reader(&self) -> Result<PerCpuRwSemReader<'_, B>, Full> {
        Ok(PerCpuRwSemReader {
            scheme: self,
            count: self.counts.claim()?,
        })
    }
}

impl<B: Backend> PerCpuRwSemReader<'_, B> {
    /// The gate was not clear, and this hold is announced, with so many around it.
    #[cold]
    fn enter_slow(&self, around: u64) {
        if around != 0 {
            return;
        }
        let gate = &self.scheme.gate;
        loop {
            // ORDERING: SeqCst pairs with the fence in `suspend` where the gate is fenced; both orders are
            // argued above. Where it is not, it is shut, and we do not go in.
            B::fence(SeqCst);
            if !gate.closed() {
                return self.count_slow();
            }
            self.count.step_back(gate);
            self.count.announce(1);
        }
    }

    /// Lets readers go without a fence again, once this one has executed enough of them.
    fn count_slow(&self) {
        // Relaxed: only its reader looks at it.
        let count = self.count.more();
        let slow = count.load(Relaxed) + 1;
        if slow < self.scheme.slow_holds || !B::asymmetric() {
            return count.store(slow.min(self.scheme.slow_holds), Relaxed);
        }
        count.store(0, Relaxed);
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
        self.count
            .begin(&self.scheme.gate, |around| self.enter_slow(around));
        PerCpuRwSemHold(self)
    }
}

impl<B: Backend> Drop for PerCpuRwSemHold<'_, B> {
    #[inline]
    fn drop(&mut self) {
        self.0.count.end();
    }
}

impl<B: Backend> Reader for PerCpuRwSemReader<'_, B> {
    type Suspended<'r>
        = Alone<Shut<'r, B>>
    where
        Self: 'r;

    fn suspend(&mut self) -> Alone<Shut<'_, B>> {
        assert!(!self.count.holds(), "a guard of this reader was leaked");
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
        scheme.counts.drain();
        Alone(shut)
    }
}
