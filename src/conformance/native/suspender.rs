//! The suspender thread: it lies in wait for a reader, suspends, and changes every word.

use super::marks::Marks;
use super::outcome::Outcome;
use super::payload::{Payload, WORDS};
use super::plan::{DWELL, PAUSE, SKEW, YIELD, dwell};
use super::reader::register;
use crate::backend::Backend;
use crate::scheme::{Reader, Scheme, Translate};
use fastrand::Rng;
use std::sync::atomic::Ordering::{Relaxed, Release};

/// Turns of a wait for a reader that poll; later ones give the CPU away.
const POLLS: u32 = 4096;

/// The suspender of a stress.
pub(super) struct Suspender<'a, S, P> {
    pub(super) scheme: &'a S,
    pub(super) payload: &'a P,
    pub(super) marks: &'a Marks,
    pub(super) rng: Rng,
    pub(super) outcome: Outcome,
}

impl<S, P: Payload> Suspender<'_, S, P> {
    /// Suspends until every reader has finished. `number` is that of the last suspend so far.
    pub(super) fn run<B: Backend>(mut self, mut number: u64) -> Outcome
    where
        S: Scheme<B>,
    {
        let mut reader = register(self.scheme);
        while !self.marks.finished() {
            self.lie_in_wait();
            number += 1;
            self.suspend::<B>(&mut reader, number);
            reader.quiescent();
        }
        self.outcome
    }

    /// Until a reader, chosen by chance, is about to begin a hold; then a little longer.
    fn lie_in_wait(&mut self) {
        let mark = &self.marks.readers[self.rng.usize(..self.marks.readers.len())].0;
        let wanted = mark.entered.load(Relaxed) + self.rng.u64(1..=PAUSE);
        let mut turn = 0;
        while mark.entered.load(Relaxed) < wanted && !mark.finished.load(Relaxed) {
            if turn < POLLS {
                turn += 1;
                std::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
        }
        dwell(self.rng.u32(..SKEW));
    }

    fn suspend<B: Backend>(&mut self, reader: &mut S::Reader<'_>, number: u64)
    where
        S: Scheme<B>,
    {
        let left = |m: &Marks| -> u64 { m.readers.iter().map(|r| r.0.left.load(Relaxed)).sum() };
        let before = left(self.marks);
        let suspended = reader.suspend();
        // A hold ended between the call and its return.
        self.outcome.waited_suspends += u64::from(left(self.marks) > before);
        self.outcome.suspends += 1;
        for index in 0..WORDS {
            self.payload.write(index, number);
            dwell(self.rng.u32(..DWELL));
            if self.rng.u32(..YIELD) == 0 {
                std::thread::yield_now();
            }
        }
        {
            let _hold = suspended.hold();
            let own = (0..WORDS).all(|index| self.payload.read(index) == number);
            self.outcome.torn += u64::from(!own);
        }
        self.marks.changed.0.store(number, Relaxed);
        drop(suspended);
        // Nobody acquires it: see `marks`.
        self.marks.resumed.0.store(number, Release);
    }
}
