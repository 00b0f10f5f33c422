//! `odd_even`: every reader counts its comings and goings; odd means inside.
//!
//! The suspender sets a flag, and then waits for each count that it saw odd to *change*, whatever it has
//! changed to: a reader that has left and come again must have seen the flag. So it never waits for
//! two holds of one reader.
//!
//! # Reader against suspender
//!
//! | reader | suspender |
//! |---|---|
//! | `count.store(odd)` | `flag` becomes `SHUT` |
//! | `fence(SeqCst)` | `fence(SeqCst)` |
//! | `flag.load()` | `count.load()` |
//!
//! The two fences have an order. If the reader's is first, the suspender's load sees the odd count, or a
//! later one, and waits for it to change. If the suspender's is first, the reader sees the flag set,
//! makes its count even, and sleeps.
//!
//! Source: the idea is that of Linux's RCU, which counts for each CPU how often it went idle and came
//! back, and waits for a count to be idle or to have changed.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

use core::cell::Cell;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use ptom::backend::{Atomic, Backend};
use ptom::primitive::{Padded, Slots};
use ptom::scheme::{
    Alone, Claims, Describe, Full, Reader, Registry, Scheme, Size, Translate, Visit,
};

/// The schemes of this crate, for the kit.
#[derive(Debug)]
pub struct Mine;

impl Registry for Mine {
    fn each<B: Backend>(visitor: &mut impl Visit<B>) {
        visitor.visit::<OddEven<B>>();
    }
}

/// Nobody suspends.
const OPEN: u32 = 0;
/// Somebody does, or is about to.
const SHUT: u32 = 1;

/// A count a reader, and a flag.
#[derive(Debug)]
pub struct OddEven<B: Backend> {
    /// `SHUT` is set by the suspender, and taken back by the same; readers only look.
    flag: Padded<B::U32>,
    /// Odd while its reader is inside; written by its reader only, and never goes back.
    counts: Slots<B, B::U64>,
}

impl<B: Backend> Describe for OddEven<B> {
    const NAME: &'static str = "odd_even";
    const PRECEDENT: &'static str =
        "Linux RCU: a count that is odd inside, waited for until it changes";
    const CLAIMS: Claims = Claims {
        holds: true,
        nests: true,
        bounded_wait: true,
        sleeps_in_hold: true,
        suspends_alone: true,
        drop_ends_leaks: true,
        ..Claims::NONE
    };
}

impl<B: Backend> Scheme<B> for OddEven<B> {
    type Reader<'s> = OddEvenReader<'s, B>;

    fn new(size: Size) -> Self {
        Self {
            flag: Padded(B::U32::new(OPEN)),
            counts: Slots::new(size.readers, || B::U64::new(0)),
        }
    }

    fn reader(&self) -> Result<OddEvenReader<'_, B>, Full> {
        let slot = self.counts.claim()?;
        Ok(OddEvenReader {
            scheme: self,
            slot,
            count: self.counts.get(slot),
            depth: Cell::new(0),
        })
    }
}

impl<B: Backend> OddEven<B> {
    /// Sleeps until the flag has not been set once.
    fn sleep(&self) {
        while self.flag.0.load(Relaxed) == SHUT {
            B::wait(&self.flag.0, SHUT);
        }
    }

    /// Sets the flag; sleeps while another suspender has set it.
    fn shut(&self) -> Shut<'_, B> {
        // Relaxed: the fence in `suspend` follows, and acquires what the last suspender did.
        let set = || {
            self.flag
                .0
                .compare_exchange_weak(OPEN, SHUT, Relaxed, Relaxed)
        };
        while set().is_err() {
            self.sleep();
        }
        Shut(self)
    }
}

/// The flag, set; dropping it takes it back, and wakes whoever waits.
#[derive(Debug)]
#[must_use = "dropping it resumes"]
pub struct Shut<'r, B: Backend>(&'r OddEven<B>);

impl<B: Backend> Drop for Shut<'_, B> {
    fn drop(&mut self) {
        // ORDERING: Release pairs with the Acquire in `enter`, and with the fence in `suspend`; see there.
        self.0.flag.0.store(OPEN, Release);
        B::wake_all(&self.0.flag.0);
    }
}

/// A registered reader.
#[derive(Debug)]
pub struct OddEvenReader<'s, B: Backend> {
    scheme: &'s OddEven<B>,
    slot: usize,
    /// The same slot's count.
    count: &'s B::U64,
    /// Holds within one another.
    depth: Cell<u64>,
}

impl<B: Backend> OddEvenReader<'_, B> {
    fn enter(&self) {
        loop {
            // ORDERING: Release pairs with the Acquire in `suspend`: a suspender that waits for our last
            // hold may miss the even count, and see this one; it must see all that the hold did.
            self.count.store(self.count.load(Relaxed) + 1, Release);
            // ORDERING: SeqCst pairs with the fence in `suspend`; both orders are argued above.
            B::fence(SeqCst);
            // ORDERING: Acquire pairs with the Release in `Shut`'s drop: a hold after a suspend sees all
            // that the suspender did. If we look before it opens we see the flag set, and wait.
            if self.scheme.flag.0.load(Acquire) == OPEN {
                return;
            }
            // Relaxed is enough: the fence since our last hold orders that hold before this store.
            self.count.store(self.count.load(Relaxed) + 1, Relaxed);
            self.scheme.sleep();
        }
    }

    fn leave(&self) {
        // ORDERING: Release pairs with the Acquire in `suspend`: whoever sees this count, sees all that
        // the hold did. If the suspender looks first, it sees the odd count, and looks again.
        self.count.store(self.count.load(Relaxed) + 1, Release);
    }
}

impl<B: Backend> Drop for OddEvenReader<'_, B> {
    fn drop(&mut self) {
        // The hold of a leaked guard ends here.
        if self.depth.get() > 0 {
            self.leave();
        }
        self.scheme.counts.release(self.slot);
    }
}

/// A hold.
#[derive(Debug)]
#[must_use = "dropping the guard ends the hold"]
pub struct OddEvenHold<'h, B: Backend>(&'h OddEvenReader<'h, B>);

impl<B: Backend> Translate for OddEvenReader<'_, B> {
    type Hold<'h>
        = OddEvenHold<'h, B>
    where
        Self: 'h;

    fn hold(&self) -> OddEvenHold<'_, B> {
        let depth = self.depth.get();
        self.depth.set(depth + 1);
        if depth == 0 {
            self.enter();
        }
        OddEvenHold(self)
    }
}

impl<B: Backend> Drop for OddEvenHold<'_, B> {
    fn drop(&mut self) {
        let depth = self.0.depth.get() - 1;
        self.0.depth.set(depth);
        if depth == 0 {
            self.0.leave();
        }
    }
}

impl<B: Backend> Reader for OddEvenReader<'_, B> {
    type Suspended<'r>
        = Alone<Shut<'r, B>>
    where
        Self: 'r;

    fn suspend(&mut self) -> Alone<Shut<'_, B>> {
        assert_eq!(self.depth.get(), 0, "a guard of this reader was leaked");
        let shut = self.scheme.shut();
        // ORDERING: SeqCst pairs with the fence in `enter`; both orders are argued above.
        B::fence(SeqCst);
        for count in self.scheme.counts.iter() {
            // ORDERING: Acquire pairs with the Release in `leave`; see there.
            let seen = count.load(Acquire);
            let mut turn = 0;
            // ORDERING: Acquire, likewise.
            while seen % 2 == 1 && count.load(Acquire) == seen {
                B::relax(turn);
                turn = turn.saturating_add(1);
            }
        }
        Alone::new(shut)
    }
}
