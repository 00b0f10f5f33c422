//! `epoch`: RCU-like. A reader announces the epoch it began in; the suspender waits out a grace
//! period.
//!
//! RCU by itself does not exclude: it waits for the readers that were there, and lets new ones in,
//! which is right for memory that nobody can reach any more, and wrong for MFNs, which everybody
//! can. So the suspender shuts a **gate** first; the grace period then waits for exactly the readers
//! that began before. (A model shows the epoch without its gate to fail.)
//!
//! Costs an outermost hold one full fence, as [`percpu`](super::percpu), and one load of the epoch.
//! Inner holds only count.
//!
//! # Reader against suspender
//!
//! | reader | suspender |
//! |---|---|
//! | `e = epoch.load()` | `gate.close()` |
//! | `announced.store_mb(e)`: a store, | `epoch.store(e + 1)` |
//! | and a full fence | `fence(SeqCst)` |
//! | `gate.clear()` | `announced.load()` older than `e + 1`: wait |
//!
//! If the reader's fence is first, the suspender sees what it announced: the old epoch, and waits
//! (or the new one: then the reader has read the new epoch, which was stored after the gate was
//! shut, so it sees the gate shut). If the suspender's fence is first, the reader sees the gate shut.
//!
//! Source: McKenney and Slingwine's RCU (1998); Fraser's epochs (2004), crossbeam-epoch's `pin`.

use super::{Alone, Claims, Describe, Full, Reader, Scheme, Size, Translate};
use crate::backend::{Atomic, Backend};
use crate::primitive::{Gate, Padded, Shut, Slots, drain};
use core::cell::Cell;
use core::sync::atomic::Ordering::{Relaxed, Release, SeqCst};

/// What a reader announces when it is outside: later than any epoch, so nobody waits for it.
const OUTSIDE: u64 = u64::MAX;

/// The epoch, a gate, and what each reader announced.
#[derive(Debug)]
pub struct Epoch<B: Backend> {
    gate: Gate<B>,
    /// Suspends so far; written by the one suspender that has the gate shut.
    epoch: Padded<B::U64>,
    /// The epoch a reader began in, or [`OUTSIDE`]; written by its reader only.
    announced: Slots<B, B::U64>,
}

impl<B: Backend> Describe for Epoch<B> {
    const NAME: &'static str = "epoch";
    const PRECEDENT: &'static str = "RCU: announce the epoch, wait a grace period; with a gate";
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
pub struct EpochReader<'s, B: Backend> {
    scheme: &'s Epoch<B>,
    slot: usize,
    /// The same slot's word, so that a hold need not look it up.
    announced: &'s B::U64,
    /// Holds within one another.
    depth: Cell<u64>,
}

/// A hold.
#[derive(Debug)]
#[must_use = "dropping the guard ends the hold"]
pub struct EpochHold<'h, B: Backend>(&'h EpochReader<'h, B>);

impl<B: Backend> Scheme<B> for Epoch<B> {
    type Reader<'s> = EpochReader<'s, B>;

    fn new(size: Size) -> Self {
        Self {
            gate: Gate::new(false),
            epoch: Padded(B::U64::new(0)),
            announced: Slots::new(size.readers, || B::U64::new(OUTSIDE)),
        }
    }

    fn reader(&self) -> Result<EpochReader<'_, B>, Full> {
        let slot = self.announced.claim()?;
        Ok(EpochReader {
            scheme: self,
            slot,
            announced: self.announced.get(slot),
            depth: Cell::new(0),
        })
    }
}

impl<B: Backend> Drop for EpochReader<'_, B> {
    fn drop(&mut self) {
        // ORDERING: Release pairs with the Acquire in `drain`: it ends the hold of a leaked guard.
        self.announced.store(OUTSIDE, Release);
        self.scheme.announced.release(self.slot);
    }
}

impl<B: Backend> EpochReader<'_, B> {
    #[inline]
    fn enter(&self) {
        loop {
            let epoch = self.scheme.epoch.0.load(Relaxed);
            // ORDERING: Release pairs with the Acquire in `drain`, which waits no further when it sees
            // the new epoch here: our last hold must have happened before that.
            // The full fence pairs with the one in `suspend`; both orders are argued above. It is also
            // the Acquire that pairs with the Release store of the epoch: who announces the new epoch
            // sees the gate shut.
            B::store_mb(self.announced, epoch, Release);
            if self.scheme.gate.clear() {
                return;
            }
            self.step_back();
        }
    }

    #[cold]
    fn step_back(&self) {
        // ORDERING: Relaxed is enough: the fence since our last hold orders that hold before this store.
        self.announced.store(OUTSIDE, Relaxed);
        self.scheme.gate.wait();
    }
}

impl<B: Backend> Translate for EpochReader<'_, B> {
    type Hold<'h>
        = EpochHold<'h, B>
    where
        Self: 'h;

    #[inline]
    fn hold(&self) -> EpochHold<'_, B> {
        let depth = self.depth.get();
        self.depth.set(depth + 1);
        if depth == 0 {
            self.enter();
        }
        EpochHold(self)
    }
}

impl<B: Backend> Drop for EpochHold<'_, B> {
    #[inline]
    fn drop(&mut self) {
        let depth = self.0.depth.get() - 1;
        self.0.depth.set(depth);
        if depth == 0 {
            // ORDERING: Release pairs with the Acquire in `drain`: whoever sees us outside sees all
            // that the hold did. If the suspender looks first, it sees the epoch, and looks again.
            self.0.announced.store(OUTSIDE, Release);
        }
    }
}

impl<B: Backend> Reader for EpochReader<'_, B> {
    type Suspended<'r>
        = Alone<Shut<'r, B>>
    where
        Self: 'r;

    fn suspend(&mut self) -> Alone<Shut<'_, B>> {
        assert_eq!(self.depth.get(), 0, "a guard of this reader was leaked");
        let scheme = self.scheme;
        let shut = scheme.gate.close();
        let next = scheme.epoch.0.load(Relaxed) + 1;
        // ORDERING: Release pairs with the fence in `enter`, of a reader that loads this epoch: the
        // gate was shut before. If the reader loads the old epoch, the wait below is for it.
        scheme.epoch.0.store(next, Release);
        // ORDERING: SeqCst pairs with the fence in `enter`; both orders are argued above.
        B::fence(SeqCst);
        drain::<B>(scheme.announced.iter(), |announced| announced >= next);
        Alone(shut)
    }
}
