//! A lock that prefers readers is caught. (The kit's program measures every scheme.)

use super::{Property, row, rows};
use crate::backend::{Atomic, Backend};
use crate::conformance::random::{Asymmetric, Random};
use crate::primitive::Slots;
use crate::scheme::{Claims, Describe, Free, Full, Reader, Scheme, Size, Translate};
use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::Ordering::SeqCst;

/// A lock whose readers get in whenever no suspender is inside, waiting or not.
#[derive(Debug)]
struct PrefersReaders<B: Backend> {
    /// Readers inside, or [`SUSPENDED`].
    word: B::U32,
    slots: Slots<B, ()>,
}

const SUSPENDED: u32 = 1 << 16;

impl<B: Backend> Describe for PrefersReaders<B> {
    const NAME: &'static str = "prefers_readers";
    const PRECEDENT: &'static str = "none: a twin";
    const CLAIMS: Claims = Claims {
        holds: true,
        nests: true,
        bounded_wait: false,
        sleeps_in_hold: true,
        snapshot_free_of_writes: false,
        needs_quiescence: false,
        suspends_alone: true,
        drop_ends_leaks: false,
    };
}

struct TwinReader<'s, B: Backend>(&'s PrefersReaders<B>, usize, PhantomData<Cell<()>>);
struct TwinHold<'h, B: Backend>(&'h PrefersReaders<B>);
struct TwinSuspended<'r, B: Backend>(&'r PrefersReaders<B>);

impl<B: Backend> Scheme<B> for PrefersReaders<B> {
    type Reader<'s> = TwinReader<'s, B>;

    fn new(size: Size) -> Self {
        Self {
            word: B::U32::new(0),
            slots: Slots::new(size.readers, || ()),
        }
    }

    fn reader(&self) -> Result<TwinReader<'_, B>, Full> {
        Ok(TwinReader(self, self.slots.claim()?, PhantomData))
    }
}

impl<B: Backend> Drop for TwinReader<'_, B> {
    fn drop(&mut self) {
        self.0.slots.release(self.1);
    }
}

impl<B: Backend> PrefersReaders<B> {
    /// Changes the word once it is not `SUSPENDED`, or once it is 0.
    fn enter(&self, forbidden: u32, by: u32) {
        loop {
            let seen = self.word.load(SeqCst);
            if seen & forbidden != 0 {
                B::wait(&self.word, seen);
            } else if self
                .word
                .compare_exchange(seen, seen + by, SeqCst, SeqCst)
                .is_ok()
            {
                return;
            }
        }
    }

    fn leave(&self, by: u32) {
        self.word.fetch_sub(by, SeqCst);
        B::wake_all(&self.word);
    }
}

impl<B: Backend> Translate for TwinReader<'_, B> {
    type Hold<'h>
        = TwinHold<'h, B>
    where
        Self: 'h;

    fn hold(&self) -> TwinHold<'_, B> {
        self.0.enter(SUSPENDED, 1);
        TwinHold(self.0)
    }
}

impl<B: Backend> Drop for TwinHold<'_, B> {
    fn drop(&mut self) {
        self.0.leave(1);
    }
}

impl<B: Backend> Reader for TwinReader<'_, B> {
    type Suspended<'r>
        = TwinSuspended<'r, B>
    where
        Self: 'r;

    fn suspend(&mut self) -> TwinSuspended<'_, B> {
        self.0.enter(u32::MAX, SUSPENDED);
        TwinSuspended(self.0)
    }
}

impl<B: Backend> Translate for TwinSuspended<'_, B> {
    type Hold<'h>
        = Free
    where
        Self: 'h;

    fn hold(&self) -> Free {
        Free
    }
}

impl<B: Backend> Drop for TwinSuspended<'_, B> {
    fn drop(&mut self) {
        self.0.leave(SUSPENDED);
    }
}

#[test]
fn the_suspender_of_a_lock_that_prefers_readers_starves() {
    let measured = rows::<Asymmetric, PrefersReaders<Random>>(1, 10);
    for measured in &measured {
        println!("{}", row(measured).join(","));
    }
    let of = |property| {
        measured
            .iter()
            .find(|r| r.property == property)
            .expect("its row")
    };
    let starved = of(Property::SuspenderUnderHolds);
    assert_eq!((starved.passed, starved.worst), (false, None));
    assert_eq!(starved.finding, "10 of 10 seeds never ended");
    assert!(!of(Property::HoldAfterAsking).passed);
}

#[test]
fn the_same_seed_gives_the_same_rows() {
    let measure = || rows::<Asymmetric, PrefersReaders<Random>>(7, 5);
    assert_eq!(measure(), measure());
}
