//! Directed: schedules of [`resume`](super::resume) that are bad for a reader, and still fair.
//!
//! A reader comes during a suspend. The suspender runs until it has resumed **and** suspended again;
//! then the reader runs until it sleeps or has its hold, or for a few steps only; and so on. Everybody
//! gets a turn each time, so where a reader is overtaken by all of [`ROUNDS`] suspends, nothing
//! bounds its wait: the loop that it is in has no end.

use super::script::{Mark, Turn};
use super::{Clock, Sample, Steps, size};
use crate::conformance::random::{Fences, Random, grain};
use crate::scheme::{Reader, Scheme, Translate};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

const READER: usize = 1;
const SUSPENDER: usize = 2;

/// Suspends after the first: many times what a reader needs to fall asleep, at a step each.
pub(super) const ROUNDS: u64 = 256;

/// Steps of the reader's turns, a script each; the last is until it cannot get on.
pub(super) const TURNS: [u32; 7] = [1, 2, 3, 5, 8, 13, u32::MAX];

pub(super) fn turns(steps: u32) -> Vec<Turn> {
    let mut turns = vec![Turn::stuck(0)];
    for suspend in 1..=ROUNDS + 1 {
        turns.push(Turn::until(SUSPENDER, suspend));
        turns.push(Turn::steps(READER, steps));
    }
    turns
}

/// From the first resume to the reader's hold, and how many suspends came in between.
pub(super) fn body<F: Fences, S: Scheme<Random<F>>>(clock: &Clock, mark: &Mark, steps: &Steps) {
    let scheme = S::new(size(2));
    let register = || scheme.reader().expect("a slot for each");
    let (reader, mut suspender) = (register(), register());
    let inside = AtomicBool::new(false);
    let (resumed, entered, overtaken) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    shuttle::thread::scope(|scope| {
        scope.spawn(|| {
            let reader = reader;
            let hold = reader.hold();
            inside.store(true, Relaxed);
            entered.store(clock.now(), Relaxed);
            drop(hold);
        });
        scope.spawn(|| {
            for suspend in 1..=ROUNDS + 1 {
                let world = suspender.suspend();
                if inside.load(Relaxed) {
                    break;
                }
                overtaken.store(suspend - 1, Relaxed);
                mark.reach(suspend);
                if suspend == 1 {
                    // A step, so that the reader has its turn before the resume.
                    grain::point();
                    resumed.store(clock.now(), Relaxed);
                }
                drop(world);
            }
            suspender.quiescent();
        });
    });
    steps.push(Sample {
        steps: entered.load(Relaxed).saturating_sub(resumed.load(Relaxed)),
        overtaken: overtaken.load(Relaxed),
    });
}
