//! Readers that wait during a suspend, when another follows at once, and another.
//!
//! The suspender resumes and asks again with nothing in between, until every reader has had its hold.
//! Where a reader is handed the lock at the resume, that is once. Where it is only woken, to look at
//! a gate, the gate may be shut again before it looks.

use super::{Clock, Sample, Steps, size};
use crate::conformance::random::{Fences, Random, grain};
use crate::scheme::{Reader, Scheme, Translate};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Steps of a suspend: enough for every reader to fall asleep.
const SUSPENDED: u32 = 64;

/// From the first resume to the last reader's hold; and how many suspends came in between.
pub(super) fn body<F: Fences, S: Scheme<Random<F>>>(readers: usize, clock: &Clock, steps: &Steps) {
    let scheme = S::new(size(readers + 1));
    let mut suspender = scheme.reader().expect("a slot for the suspender");
    let readers_left = AtomicU64::new(readers as u64);
    let asking = AtomicU64::new(0);
    let shut = AtomicU64::new(0);
    let last = AtomicU64::new(0);
    shuttle::thread::scope(|scope| {
        for _ in 0..readers {
            let reader = scheme.reader().expect("a slot for each reader");
            let (shut, asking, left, last) = (&shut, &asking, &readers_left, &last);
            scope.spawn(move || {
                let mut reader = reader;
                while shut.load(Relaxed) == 0 {
                    reader.quiescent();
                    grain::point();
                }
                asking.fetch_add(1, Relaxed);
                let hold = reader.hold();
                last.fetch_max(clock.now(), Relaxed);
                left.fetch_sub(1, Relaxed);
                drop(hold);
            });
        }
        let mut resumed = None;
        let mut overtaken = 0;
        loop {
            let suspended = suspender.suspend();
            if resumed.is_none() {
                shut.store(1, Relaxed);
                // Where readers say when they hold nothing, all of them wait by now, and none asks.
                let ask = !S::CLAIMS.needs_quiescence;
                while ask && asking.load(Relaxed) < readers as u64 {
                    grain::point();
                }
            } else if readers_left.load(Relaxed) == 0 {
                break;
            } else {
                overtaken += 1;
            }
            for _ in 0..SUSPENDED {
                grain::point();
            }
            resumed.get_or_insert(clock.now());
            drop(suspended);
            if readers_left.load(Relaxed) == 0 {
                break;
            }
        }
        steps.push(Sample {
            steps: last.load(Relaxed).saturating_sub(resumed.unwrap_or(0)),
            overtaken,
        });
        drop(suspender);
    });
}
