//! Directed: a hold that begins after the suspender asked, and before it has exclusivity.
//!
//! Reader A is inside. The suspender runs alone until it cannot get on. Then reader B runs alone until
//! it sleeps or has its hold. Then everybody. Where a suspender waits only for holds that began
//! before it asked, B does not get in.

use super::script::{Mark, Turn};
use super::{Sample, Steps, size};
use crate::conformance::random::{Fences, Random};
use crate::scheme::{Reader, Scheme, Translate};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The threads in the order of their registration: in a sharded scheme A is drained before B.
const A: usize = 1;
const SUSPENDER: usize = 2;
const B: usize = 3;

/// A has its hold.
const A_INSIDE: u64 = 1;
/// B has its hold.
const B_INSIDE: u64 = 2;

pub(super) fn turns() -> Vec<Turn> {
    vec![
        Turn::stuck(0),
        Turn::until(A, A_INSIDE),
        Turn::stuck(SUSPENDER),
        Turn::until(B, B_INSIDE),
    ]
}

/// A sample whose `overtaken` is 1 if B got in, and 0 if it waited.
pub(super) fn body<F: Fences, S: Scheme<Random<F>>>(mark: &Mark, steps: &Steps) {
    let scheme = S::new(size(3));
    let register = || scheme.reader().expect("a slot for each");
    let (first, mut suspender, second) = (register(), register(), register());
    let suspended = AtomicBool::new(false);
    let overtook = AtomicBool::new(false);
    shuttle::thread::scope(|scope| {
        scope.spawn(|| {
            let mut reader = first;
            let hold = reader.hold();
            mark.reach(A_INSIDE);
            drop(hold);
            reader.quiescent();
        });
        scope.spawn(|| {
            let world = suspender.suspend();
            suspended.store(true, Relaxed);
            drop(world);
            suspender.quiescent();
        });
        scope.spawn(|| {
            let mut reader = second;
            let hold = reader.hold();
            overtook.store(!suspended.load(Relaxed), Relaxed);
            mark.reach(B_INSIDE);
            drop(hold);
            reader.quiescent();
        });
    });
    steps.push(Sample {
        steps: 0,
        overtaken: u64::from(overtook.load(Relaxed)),
    });
}
