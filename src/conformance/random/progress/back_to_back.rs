//! Directed: the schedule of [`resume`](super::resume) that is worst for a reader, and still fair.
//!
//! A reader sleeps during a suspend. The suspender runs until it has resumed **and** suspended again;
//! then the reader runs until it sleeps or has its hold; and so on. Everybody gets a turn each time,
//! so a reader that is overtaken every time has no bound under any fair scheduler.

use super::script::{Mark, Turn};
use super::{Clock, Sample, Sizes, Steps};
use crate::conformance::random::{Fences, Random};
use crate::scheme::{Reader, Scheme, Translate};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

const READER: usize = 1;
const SUSPENDER: usize = 2;

/// Suspends after the first; a reader that is overtaken by all has no bound.
pub(super) const ROUNDS: u64 = 64;

pub(super) fn turns() -> Vec<Turn> {
    let mut turns = vec![Turn::stuck(0)];
    for suspend in 1..=ROUNDS + 1 {
        turns.push(Turn::until(SUSPENDER, suspend));
        turns.push(Turn::stuck(READER));
    }
    turns
}

/// From the first resume to the reader's hold, and how many suspends came in between.
pub(super) fn body<F: Fences, S: Scheme<Random<F>>>(clock: &Clock, mark: &Mark, steps: &Steps) {
    let scheme = S::new(Sizes::of(2));
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
                    crate::conformance::random::grain::point();
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
