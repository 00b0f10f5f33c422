//! `percpu`: every reader counts its holds in a word of its own; the suspender shuts a gate.
//!
//! An outermost hold stores to its own word, executes one full fence, and looks at the gate. On x86 one
//! exchange is both, and the whole cost (about 8 ns); no shared word is written, so it scales. Inner holds only count. The suspender shuts the gate, executes one full
//! fence, and waits for each word to become 0.
//!
//! # Reader against suspender
//!
//! | reader | suspender |
//! |---|---|
//! | `inside.store_mb(1)`: a store, | `gate.close()` |
//! | and a full fence | `fence(SeqCst)` |
//! | `gate.clear()` | `inside.load()` |
//!
//! The two fences have an order. If the reader's is first, the suspender's load sees the 1, and waits
//! for it to go, or what the reader stored later, when it has gone. If the suspender's is first, the
//! reader sees the gate shut, takes its 1 back, and sleeps, or it sees it opened again, by that very
//! suspender or a later one. Either way they are never both inside.
//!
//! Source: Concurrency Kit `ck_brlock`; Dekker's handshake.

use super::{Alone, Claims, Describe, Full, Reader, Scheme, Size, Translate};
use crate::backend::{Atomic, Backend};
use crate::primitive::{Gate, Shut, Slots, drain};
use core::cell::Cell;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};

/// A word a reader, and a gate.
#[derive(Debug)]
pub struct PerCpu<B: Backend> {
    gate: Gate<B>,
    /// 1 while its reader is inside; written by its reader only.
    inside: Slots<B, B::U64>,
}

impl<B: Backend> Describe for PerCpu<B> {
    const NAME: &'static str = "percpu";
    const PRECEDENT: &'static str = "Concurrency Kit ck_brlock: own counter, SeqCst fence, gate";
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
pub struct PerCpuReader<'s, B: Backend> {
    scheme: &'s PerCpu<B>,
    slot: usize,
    /// The same slot's word, so that a hold need not look it up.
    inside: &'s B::U64,
    /// Holds within one another. Private: the shared word need not be read after the fence.
    depth: Cell<u64>,
}

/// A hold.
#[derive(Debug)]
#[must_use = "dropping the guard ends the hold"]
pub struct PerCpuHold<'h, B: Backend>(&'h PerCpuReader<'h, B>);

impl<B: Backend> Scheme<B> for PerCpu<B> {
    type Reader<'s> = PerCpuReader<'s, B>;

    fn new(size: Size) -> Self {
        Self {
            gate: Gate::new(false),
            inside: Slots::new(size.readers, || B::U64::new(0)),
        }
    }

    fn reader(&self) -> Result<PerCpuReader<'_, B>, Full> {
        let slot = self.inside.claim()?;
        Ok(PerCpuReader {
            scheme: self,
            slot,
            inside: self.inside.get(slot),
            depth: Cell::new(0),
        })
    }
}

impl<B: Backend> Drop for PerCpuReader<'_, B> {
    fn drop(&mut self) {
        // ORDERING: Release pairs with the Acquire in `drain`: it ends the hold of a leaked guard.
        self.inside.store(0, Release);
        self.scheme.inside.release(self.slot);
    }
}

impl<B: Backend> PerCpuReader<'_, B> {
    #[inline]
    fn enter(&self) {
        loop {
            // ORDERING: its full fence pairs with the one in `suspend`; both orders are argued above.
            B::store_mb(self.inside, 1, Relaxed);
            if self.scheme.gate.clear() {
                return;
            }
            self.step_back();
        }
    }

    #[cold]
    fn step_back(&self) {
        // Relaxed is enough: the fence since our last hold orders that hold before this store.
        self.inside.store(0, Relaxed);
        self.scheme.gate.wait();
    }
}

impl<B: Backend> Translate for PerCpuReader<'_, B> {
    type Hold<'h>
        = PerCpuHold<'h, B>
    where
        Self: 'h;

    #[inline]
    fn hold(&self) -> PerCpuHold<'_, B> {
        let depth = self.depth.get();
        self.depth.set(depth + 1);
        if depth == 0 {
            self.enter();
        }
        PerCpuHold(self)
    }
}

impl<B: Backend> Drop for PerCpuHold<'_, B> {
    #[inline]
    fn drop(&mut self) {
        let depth = self.0.depth.get() - 1;
        self.0.depth.set(depth);
        if depth == 0 {
            // ORDERING: Release pairs with the Acquire in `drain`: whoever sees the 0 sees all
            // that the hold did. If the suspender looks first, it sees the 1, and looks again.
            self.0.inside.store(0, Release);
        }
    }
}

impl<B: Backend> Reader for PerCpuReader<'_, B> {
    type Suspended<'r>
        = Alone<Shut<'r, B>>
    where
        Self: 'r;

    fn suspend(&mut self) -> Alone<Shut<'_, B>> {
        assert_eq!(self.depth.get(), 0, "a guard of this reader was leaked");
        let scheme = self.scheme;
        let shut = scheme.gate.close();
        // ORDERING: SeqCst pairs with the fence in `enter`; both orders are argued above.
        B::fence(SeqCst);
        drain::<B>(scheme.inside.iter(), |inside| inside == 0);
        Alone(shut)
    }

    fn try_suspend(&mut self) -> Option<Alone<Shut<'_, B>>> {
        let scheme = self.scheme;
        let shut = scheme.gate.try_close()?;
        // ORDERING: SeqCst pairs with the fence in `enter`, as that of `suspend` does.
        B::fence(SeqCst);
        // ORDERING: Acquire pairs with the Release that ends a hold, as that of `suspend` does. Whoever is
        // seen inside stays there, and the gate opens again.
        let empty = scheme.inside.iter().all(|word| word.load(Acquire) == 0);
        empty.then(|| Alone(shut))
    }
}
