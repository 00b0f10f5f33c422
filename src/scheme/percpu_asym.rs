//! `percpu_asym`: as [`percpu`](super::percpu), with the reader's fence moved to the suspender.
//!
//! The reader's fence becomes a compiler fence, and the suspender makes every other thread execute a
//! full one, by `membarrier(2)`. So a hold is two plain stores and a look at the gate, and a suspend
//! pays about 10 us (in a virtual machine) for the barrier. It nests, at the same price.
//!
//! # Reader against suspender
//!
//! | reader | suspender |
//! |---|---|
//! | `count.store(n + 1)` | `gate.close()` |
//! | `light_fence()` | `heavy_fence()` |
//! | `gate.clear()` | `count.load()` |
//!
//! The heavy fence puts a full fence into every reader at one point of its program. If that point
//! comes after the reader's store, the suspender's load sees the count, and waits. If it comes before
//! the reader's look at the gate, the reader sees it shut, and takes its count back. It is always one
//! of the two, since the store comes before the look.
//!
//! Where the kernel has no membarrier, the gate is made *fenced*: never clear, so that every hold
//! takes the slow path, and executes the full fence there. The fast path does not pay for asking.
//!
//! Source: FreeBSD rms(9), liburcu's memb flavour, Linux percpu_rwsem; Dice, Huang and Yang,
//! "Asymmetric Dekker synchronization" (2001).

use super::{Alone, Claims, Describe, Full, Reader, Scheme, Size, Translate};
use crate::backend::{Atomic, Backend};
use crate::primitive::{Gate, Shut, Slots, drain};
use core::cell::Cell;
use core::marker::PhantomData;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};

/// A count a reader, and a gate.
#[derive(Debug)]
pub struct PerCpuAsym<B: Backend> {
    gate: Gate<B>,
    /// Live holds of a reader; written by its reader only.
    counts: Slots<B, B::U64>,
}

impl<B: Backend> Describe for PerCpuAsym<B> {
    const NAME: &'static str = "percpu_asym";
    const PRECEDENT: &'static str =
        "FreeBSD rms(9), liburcu-memb: compiler fence and membarrier(2)";
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
pub struct PerCpuAsymReader<'s, B: Backend> {
    scheme: &'s PerCpuAsym<B>,
    slot: usize,
    /// The same slot's count, so that a hold need not look it up.
    count: &'s B::U64,
    not_sync: PhantomData<Cell<()>>,
}

/// A hold.
#[derive(Debug)]
#[must_use = "dropping the guard ends the hold"]
pub struct PerCpuAsymHold<'h, B: Backend>(&'h PerCpuAsymReader<'h, B>);

impl<B: Backend> Scheme<B> for PerCpuAsym<B> {
    type Reader<'s> = PerCpuAsymReader<'s, B>;

    fn new(size: Size) -> Self {
        Self {
            gate: Gate::new(!B::asymmetric()),
            counts: Slots::new(size.readers, || B::U64::new(0)),
        }
    }

    fn reader(&self) -> Result<PerCpuAsymReader<'_, B>, Full> {
        let slot = self.counts.claim()?;
        Ok(PerCpuAsymReader {
            scheme: self,
            slot,
            count: self.counts.get(slot),
            not_sync: PhantomData,
        })
    }
}

impl<B: Backend> Drop for PerCpuAsymReader<'_, B> {
    fn drop(&mut self) {
        // ORDERING: Release pairs with the Acquire in `drain`: it ends the hold of a leaked guard.
        self.count.store(0, Release);
        self.scheme.counts.release(self.slot);
    }
}

impl<B: Backend> PerCpuAsymReader<'_, B> {
    /// The gate was not clear, and this is an outermost hold, announced.
    #[cold]
    fn enter_slow(&self) {
        let gate = &self.scheme.gate;
        loop {
            if gate.fenced() {
                // ORDERING: SeqCst pairs with the fence in `suspend` of a fenced gate: the symmetric
                // handshake of `percpu`, both orders argued there.
                B::fence(SeqCst);
            }
            if !gate.closed() {
                return;
            }
            // AUDIT: Release to Relaxed survives in percpu_asym: the light fence of `hold` comes between, and
            // loom takes it for a full fence; it is a compiler fence, and Arm would need the Release.
            // ORDERING: Release pairs with the Acquire in `drain`: the 0 that it sees may be this
            // one, and nothing else orders our last hold before it where the light fence is none.
            self.count.store(0, Release);
            gate.wait();
            self.count.store(1, Relaxed);
            // ORDERING: pairs with the heavy fence in `suspend`; both orders are argued above.
            B::light_fence();
        }
    }
}

impl<B: Backend> Translate for PerCpuAsymReader<'_, B> {
    type Hold<'h>
        = PerCpuAsymHold<'h, B>
    where
        Self: 'h;

    #[inline]
    fn hold(&self) -> PerCpuAsymHold<'_, B> {
        let count = self.count.load(Relaxed);
        self.count.store(count + 1, Relaxed);
        // ORDERING: pairs with the heavy fence in `suspend`; both orders are argued above.
        B::light_fence();
        if !self.scheme.gate.clear() && count == 0 {
            self.enter_slow();
        }
        PerCpuAsymHold(self)
    }
}

impl<B: Backend> Drop for PerCpuAsymHold<'_, B> {
    #[inline]
    fn drop(&mut self) {
        let count = &self.0.count;
        // ORDERING: Release pairs with the Acquire in `drain`: whoever sees the 0 sees all that the
        // hold did. If the suspender looks first, it sees the count, and looks again.
        count.store(count.load(Relaxed) - 1, Release);
    }
}

impl<B: Backend> Reader for PerCpuAsymReader<'_, B> {
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
            // ORDERING: SeqCst pairs with the fence in `enter_slow`; see there.
            B::fence(SeqCst);
        } else {
            // ORDERING: pairs with the light fence in `hold`; both orders are argued above.
            B::heavy_fence();
        }
        drain::<B>(scheme.counts.iter(), |count| count == 0);
        Alone(shut)
    }

    fn try_suspend(&mut self) -> Option<Alone<Shut<'_, B>>> {
        let scheme = self.scheme;
        let shut = scheme.gate.try_close()?;
        if scheme.gate.fenced() {
            // ORDERING: SeqCst pairs with the fence in `enter_slow`, as that of `suspend` does.
            B::fence(SeqCst);
        } else {
            // ORDERING: pairs with the light fence in `hold`, as that of `suspend` does.
            B::heavy_fence();
        }
        // ORDERING: Acquire pairs with the Release that ends a hold, as that of `suspend` does. Whoever is
        // seen inside stays there, and the gate opens again.
        let empty = scheme.counts.iter().all(|word| word.load(Acquire) == 0);
        empty.then(|| Alone(shut))
    }
}
