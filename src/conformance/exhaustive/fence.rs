//! SeqCst fences that loom reorders.
//!
//! loom changes threads before an operation on an object, and a fence is none: alone it always runs
//! in one go with the operation before it, so no other thread comes between. Two litmus tests show
//! the difference. Here each SeqCst fence first touches a word that all of them touch.
//!
//! loom's SeqCst fences also synchronise with each other, which the language's do not. That cannot be
//! helped here.

use loom::sync::atomic::{self, AtomicU32};
use std::sync::atomic::Ordering::{self, Relaxed, SeqCst};

loom::lazy_static! {
    /// Touched before each SeqCst fence, and never changed.
    static ref ORDER_OF_FENCES: AtomicU32 = AtomicU32::new(0);
}

/// Makes the word, in the thread that makes the words of a model. The first thread to ask for it
/// synchronises with every later one, so it must not be one that is about to execute a fence.
pub(crate) fn prepare() {
    let _ = &*ORDER_OF_FENCES;
}

/// A fence; `Relaxed` is none.
#[track_caller]
pub(crate) fn fence(order: Ordering) {
    if order == SeqCst {
        // A read-modify-write depends on every other, which makes loom try both orders; one that
        // fails stores nothing, and so synchronises nothing.
        let _ = ORDER_OF_FENCES.compare_exchange(1, 1, Relaxed, Relaxed);
    }
    if order != Relaxed {
        atomic::fence(order);
    }
}
