//! How measuring threads wait for each other: by looking, since a sleep would cost a wake-up.
//!
//! Whoever leaves by panic raises a flag, and that ends every wait.

use super::observe::Halt;
use std::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Acquire, Release},
};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// Looks this often before it yields: whoever we wait for is on its way.
const SPINS: u32 = 1_000;

/// One turn of waiting for another thread.
pub(super) fn pause(turn: u32) {
    if turn < SPINS {
        std::hint::spin_loop();
    } else {
        thread::yield_now();
    }
}

/// Waits until `word` is at least that.
pub(super) fn wait_for(word: &AtomicU64, at_least: u64, broken: &AtomicBool) -> Result<(), Halt> {
    let mut turn = 0u32;
    // ORDERING: Acquire pairs with the Release that raises the word: what was written before that
    // (an order, a result) is seen after this.
    while word.load(Acquire) < at_least {
        if broken.load(Acquire) {
            return Err(Halt::Broken);
        }
        pause(turn);
        turn = turn.saturating_add(1);
    }
    Ok(())
}

/// A mutex whose holders leave nothing half done.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Raises the flag when its thread panics.
pub(super) struct Alarm<'a>(&'a AtomicBool);

impl<'a> Alarm<'a> {
    pub(super) fn new(broken: &'a AtomicBool) -> Self {
        Self(broken)
    }
}

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.store(true, Release);
        }
    }
}
