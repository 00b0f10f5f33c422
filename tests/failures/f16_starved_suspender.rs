//! F16: overlapping readers starve the suspender, for ever.
//!
//! A lock that lets readers in whenever a reader is in, as one without a write-wanted bit does, never has a
//! moment without one. libxl gives a guest 60 seconds to suspend. `results/progress.csv` has the same
//! measured in steps, over many schedules.

use crate::guest::{Shown, of_every_scheme};
use crate::turns::{Actor, Ending, Turns, for_ever, give_way, play};
use ptom::backend::Backend;
use ptom::scheme::{Claims, Describe, Free, Full, Reader, Scheme, Size, Translate};
use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};

/// Holds that the readers begin, and then no more: in a kernel there is no such end.
const HOLDS: u64 = 500;

/// How many holds began between asking and exclusivity, of readers that overlap: each keeps its hold until
/// the other has one.
fn overtaken<S: Scheme<Turns>>() -> u64 {
    let scheme: &S = for_ever(S::new(Size::readers(3)));
    let begun: &AtomicU64 = for_ever(AtomicU64::new(0));
    let told: &OnceLock<u64> = for_ever(OnceLock::new());
    let reader = move || {
        let mut reader = scheme.reader().unwrap();
        while begun.fetch_add(1, SeqCst) < HOLDS && told.get().is_none() {
            let hold = reader.hold();
            give_way();
            drop(hold);
            reader.quiescent();
        }
    };
    let suspender = move || {
        let mut suspender = scheme.reader().unwrap();
        let asked = begun.load(SeqCst);
        let world = suspender.suspend();
        told.set(begun.load(SeqCst) - asked).unwrap();
        drop(world);
    };
    let actors: Vec<Actor> = vec![
        ("first", Box::new(reader)),
        ("second", Box::new(reader)),
        ("suspender", Box::new(suspender)),
    ];
    assert_eq!(play(actors), Ending::Done, "{}", S::NAME);
    *told.get().unwrap()
}

struct Overlap;

impl Shown for Overlap {
    fn of<S: Scheme<Turns>>() {
        // Each reader asks once more, and then waits; where locks are taken in order, some more times.
        let most = if S::CLAIMS.bounded_wait { 2 } else { 10 };
        let overtaken = overtaken::<S>();
        assert!(overtaken <= most, "{}: {overtaken}", S::NAME);
    }
}

#[test]
fn a_suspender_gets_in_between_overlapping_holds() {
    of_every_scheme::<Overlap>();
}

#[test]
fn without_a_write_wanted_bit_it_never_does() {
    let holds = overtaken::<PrefersReaders>();
    assert!(holds >= HOLDS - 2, "only {holds}, as many as there were");
}

/// A lock without that bit: readers get in whenever no suspender is inside.
#[derive(Debug)]
struct PrefersReaders {
    /// Readers inside, or [`SUSPENDED`].
    word: AtomicU32,
}

const SUSPENDED: u32 = 1 << 16;

impl Describe for PrefersReaders {
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

impl PrefersReaders {
    /// Adds to the word as soon as nothing of `forbidden` is in it.
    fn enter(&self, forbidden: u32, by: u32) {
        loop {
            let seen = self.word.load(SeqCst);
            if seen & forbidden == 0 {
                self.word.store(seen + by, SeqCst);
                return;
            }
            Turns::wait(&self.word, seen);
        }
    }
}

#[derive(Debug)]
struct TwinReader<'s>(&'s PrefersReaders, PhantomData<Cell<()>>);

/// A hold, or the suspender's world: so much of the word is its own.
#[derive(Debug)]
struct Inside<'h>(&'h PrefersReaders, u32);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.word.fetch_sub(self.1, SeqCst);
    }
}

impl Scheme<Turns> for PrefersReaders {
    type Reader<'s> = TwinReader<'s>;

    fn new(_: Size) -> Self {
        Self {
            word: AtomicU32::new(0),
        }
    }

    fn reader(&self) -> Result<TwinReader<'_>, Full> {
        Ok(TwinReader(self, PhantomData))
    }
}

impl Translate for TwinReader<'_> {
    type Hold<'h>
        = Inside<'h>
    where
        Self: 'h;

    fn hold(&self) -> Inside<'_> {
        self.0.enter(SUSPENDED, 1);
        Inside(self.0, 1)
    }
}

impl Reader for TwinReader<'_> {
    type Suspended<'r>
        = Inside<'r>
    where
        Self: 'r;

    fn suspend(&mut self) -> Inside<'_> {
        self.0.enter(u32::MAX, SUSPENDED);
        Inside(self.0, SUSPENDED)
    }
}

impl Translate for Inside<'_> {
    type Hold<'h>
        = Free
    where
        Self: 'h;

    fn hold(&self) -> Free {
        Free
    }
}
