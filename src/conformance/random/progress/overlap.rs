//! A suspender under endless fresh, overlapping holds.
//!
//! Each reader keeps its hold until another has begun one after it, and begins the next at once; if
//! nobody else gets in for [`PATIENCE`] steps it gives up, as a hold must end some day. So wherever
//! readers can get in past a waiting suspender, some hold is live at every moment, for ever.

use super::{Clock, Sample, Steps, size};
use crate::conformance::random::{Fences, Random, grain};
use crate::scheme::{Reader, Scheme, Translate};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Own steps that a hold lasts at most.
const PATIENCE: u32 = 64;
/// Holds begun before the suspender asks.
const WARM_UP: u64 = 8;

/// From asking to exclusivity.
pub(super) fn body<F: Fences, S: Scheme<Random<F>>>(readers: usize, clock: &Clock, steps: &Steps) {
    let scheme = S::new(size(readers + 1));
    let mut suspender = scheme.reader().expect("a slot for the suspender");
    let begun = AtomicU64::new(0);
    let over = AtomicBool::new(false);
    shuttle::thread::scope(|scope| {
        for _ in 0..readers {
            let mut reader = scheme.reader().expect("a slot for each reader");
            let (begun, over) = (&begun, &over);
            scope.spawn(move || {
                while !over.load(Relaxed) {
                    let hold = reader.hold();
                    let mine = begun.fetch_add(1, Relaxed) + 1;
                    for _ in 0..PATIENCE {
                        if over.load(Relaxed) || begun.load(Relaxed) > mine {
                            break;
                        }
                        grain::point();
                    }
                    drop(hold);
                    reader.quiescent();
                }
            });
        }
        while begun.load(Relaxed) < WARM_UP {
            suspender.quiescent();
            grain::point();
        }
        let asked = clock.now();
        let suspended = suspender.suspend();
        steps.push(Sample {
            steps: clock.now() - asked,
            overtaken: 0,
        });
        over.store(true, Relaxed);
        drop(suspended);
        drop(suspender);
    });
}
