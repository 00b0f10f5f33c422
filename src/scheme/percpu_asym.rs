//! `percpu_asym`: as [`percpu`](super::percpu), with the reader's fence moved to the suspender.
//!
//! The reader's fence becomes a compiler fence, and the suspender makes every other thread execute a
//! full one, by `membarrier(2)`. So a hold is two plain stores and a look at the gate, and a suspend
//! pays for the barrier (row `heavy_fence` of the report). It nests, at the same price.
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
//! (The code of a hold is [`Count::begin`] and [`Count::end`].)
//!
//! Where the kernel has no membarrier, the gate is made *fenced*: never clear, so that every hold
//! takes the slow path, and executes the full fence there. The fast path does not pay for asking.
//!
//! Source: FreeBSD rms(9), liburcu's memb flavour, Linux percpu_rwsem; Dice, Huang and Yang,
//! "Asymmetric Dekker synchronization" (2001).

use super::{Alone, Claims, Describe, Full, Reader, Scheme, Size, Translate};
use crate::backend::Backend;
use crate::primitive::{Count, Counts, Gate, Shut};
use core::sync::atomic::Ordering::SeqCst;

/// A count a reader, and a gate.
#[derive(Debug)]
pub struct PerCpuAsym<B: Backend> {
    gate: Gate<B>,
    counts: Counts<B, ()>,
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
    count: Count<'s, B, ()>,
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
            counts: Counts::new(size.readers, || ()),
        }
    }

    fn reader(&self) -> Result<PerCpuAsymReader<'_, B>, Full> {
        Ok(PerCpuAsymReader {
            scheme: self,
            count: self.counts.claim()?,
        })
    }
}

impl<B: Backend> PerCpuAsym<B> {
    /// The suspender's fence, between its closing of the gate and its look at the counts.
    fn fence(&self) {
        if self.gate.fenced() {
            // ORDERING: SeqCst pairs with the fence in `enter_slow`; see there.
            B::fence(SeqCst);
        } else {
            // ORDERING: pairs with the light fence of a hold; both orders are argued above.
            B::heavy_fence();
        }
    }
}

impl<B: Backend> PerCpuAsymReader<'_, B> {
    /// The gate was not clear, and this hold is announced, with so many around it.
    #[cold]
    fn enter_slow(&self, around: u64) {
        if around != 0 {
            return;
        }
        let gate = &self.scheme.gate;
        loop {
            if gate.fenced() {
                // ORDERING: SeqCst pairs with the fence of a suspend whose gate is fenced: the symmetric
                // handshake of `percpu`, both orders argued there.
                B::fence(SeqCst);
            }
            if !gate.closed() {
                return;
            }
            self.count.step_back(gate);
            self.count.announce(1);
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
        self.count
            .begin(&self.scheme.gate, |around| self.enter_slow(around));
        PerCpuAsymHold(self)
    }
}

impl<B: Backend> Drop for PerCpuAsymHold<'_, B> {
    #[inline]
    fn drop(&mut self) {
        self.0.count.end();
    }
}

impl<B: Backend> Reader for PerCpuAsymReader<'_, B> {
    type Suspended<'r>
        = Alone<Shut<'r, B>>
    where
        Self: 'r;

    fn suspend(&mut self) -> Alone<Shut<'_, B>> {
        assert!(!self.count.holds(), "a guard of this reader was leaked");
        let scheme = self.scheme;
        let shut = scheme.gate.close();
        scheme.fence();
        scheme.counts.drain();
        Alone(shut)
    }

    fn try_suspend(&mut self) -> Option<Alone<Shut<'_, B>>> {
        let scheme = self.scheme;
        let shut = scheme.gate.try_close()?;
        scheme.fence();
        scheme.counts.all_zero().then(|| Alone(shut))
    }
}
