//! How often a word is a scheduling point.
//!
//! Every operation on a scheme's words is one: that is what is examined. The machine under it has
//! tens of thousands of words (page tables, frames), and a save looks at all of them; were each look
//! a point, a schedule would cost a hundred times as much and say no more of the scheme. So words are
//! **fine** or **coarse**, by when they are made; of the operations on coarse ones, one in
//! [`grain`](super::World::grain) on average is a point, at gaps that follow from the schedule's seed.
//!
//! The state is the OS thread's, and shuttle runs all tasks of an execution on one. Each execution
//! sets all of it anew, since a failed one leaks the guards on its tasks' stacks.

use std::cell::Cell;
use std::time::Duration;

thread_local! {
    /// Whether words made now are fine.
    static FINE: Cell<bool> = const { Cell::new(true) };
    /// Operations on coarse words until one of them is a point.
    static LEFT: Cell<u32> = const { Cell::new(u32::MAX) };
    /// The mean gap.
    static GRAIN: Cell<u32> = const { Cell::new(1) };
    /// Where the gaps come from: xorshift.
    static GAPS: Cell<u64> = const { Cell::new(1) };
}

/// Lets the scheduler choose who runs next.
pub(super) fn point() {
    // In shuttle a sleep is exactly that, and unlike its yield says nothing of polling in vain.
    shuttle::thread::sleep(Duration::ZERO);
}

/// One operation on a word.
#[inline]
pub(super) fn touch(fine: bool) {
    if fine || due() {
        point();
    }
}

#[inline]
fn due() -> bool {
    let left = LEFT.get() - 1;
    LEFT.set(left);
    left == 0 && refill()
}

#[cold]
fn refill() -> bool {
    let mut state = GAPS.get();
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    GAPS.set(state);
    let range = 2 * u64::from(GRAIN.get()) - 1;
    LEFT.set(1 + (state % range) as u32);
    true
}

/// Whether words made now are fine.
pub(super) fn makes_fine() -> bool {
    FINE.get()
}

/// From now on words are made fine, or coarse.
pub(super) fn make_fine(fine: bool) {
    FINE.set(fine);
}

/// No operation on a coarse word is a point: while one task is alone.
pub(super) fn quiet() {
    LEFT.set(u32::MAX);
}

/// One operation in `grain` on coarse words is a point.
pub(super) fn loud(grain: u32, seed: u64) {
    GRAIN.set(grain.max(1));
    GAPS.set(seed | 1);
    refill();
}
