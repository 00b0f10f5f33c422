//! Plain words with a scheduling point before each operation.
//!
//! shuttle's own atomics are the same, with a vector clock each that nobody here looks at: a machine
//! made of them takes megabytes. The point is theirs; the value is the standard library's, always
//! `Relaxed`, since all tasks of an execution run on one OS thread.

use super::grain;
use crate::backend::Atomic;
use shuttle::sync::{Condvar, Mutex};
use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, Ordering::Relaxed};
use std::sync::{OnceLock, PoisonError};

/// A 64-bit word.
#[derive(Debug)]
pub struct Word64 {
    word: AtomicU64,
    fine: bool,
}

/// A 32-bit word, and where its waiters sleep.
#[derive(Debug)]
pub struct Word32 {
    word: AtomicU32,
    fine: bool,
    /// Made by the first to sleep or wake: most words never see one.
    beds: OnceLock<Box<Beds>>,
}

/// The mutex makes looking at the word and falling asleep one step against waking.
#[derive(Default)]
struct Beds {
    mutex: Mutex<()>,
    changed: Condvar,
}

impl fmt::Debug for Beds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Beds")
    }
}

impl Word32 {
    fn beds(&self) -> &Beds {
        self.beds.get_or_init(Box::default)
    }

    /// Sleeps while the word holds `expected`, unless woken.
    pub(super) fn wait(&self, expected: u32) {
        let beds = self.beds();
        // Poison is another task's panic, which the run reports anyway.
        let asleep = beds.mutex.lock().unwrap_or_else(PoisonError::into_inner);
        if self.word.load(Relaxed) == expected {
            drop(beds.changed.wait(asleep));
        }
    }

    /// Wakes every waiter.
    pub(super) fn wake_all(&self) {
        let beds = self.beds();
        let _nobody_falls_asleep = beds.mutex.lock().unwrap_or_else(PoisonError::into_inner);
        beds.changed.notify_all();
    }
}

impl Atomic<u32> for Word32 {
    fn new(value: u32) -> Self {
        Self {
            word: AtomicU32::new(value),
            fine: grain::makes_fine(),
            beds: OnceLock::new(),
        }
    }
    fn load(&self, _: Ordering) -> u32 {
        grain::touch(self.fine);
        self.word.load(Relaxed)
    }
    fn store(&self, value: u32, _: Ordering) {
        grain::touch(self.fine);
        self.word.store(value, Relaxed);
    }
    fn swap(&self, value: u32, _: Ordering) -> u32 {
        grain::touch(self.fine);
        self.word.swap(value, Relaxed)
    }
    fn compare_exchange(
        &self,
        current: u32,
        new: u32,
        _: Ordering,
        _: Ordering,
    ) -> Result<u32, u32> {
        grain::touch(self.fine);
        self.word.compare_exchange(current, new, Relaxed, Relaxed)
    }
    fn compare_exchange_weak(
        &self,
        current: u32,
        new: u32,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u32, u32> {
        Atomic::compare_exchange(self, current, new, success, failure)
    }
    fn fetch_add(&self, value: u32, _: Ordering) -> u32 {
        grain::touch(self.fine);
        self.word.fetch_add(value, Relaxed)
    }
    fn fetch_sub(&self, value: u32, _: Ordering) -> u32 {
        grain::touch(self.fine);
        self.word.fetch_sub(value, Relaxed)
    }
    fn fetch_and(&self, value: u32, _: Ordering) -> u32 {
        grain::touch(self.fine);
        self.word.fetch_and(value, Relaxed)
    }
    fn fetch_or(&self, value: u32, _: Ordering) -> u32 {
        grain::touch(self.fine);
        self.word.fetch_or(value, Relaxed)
    }
}

impl Atomic<u64> for Word64 {
    fn new(value: u64) -> Self {
        Self {
            word: AtomicU64::new(value),
            fine: grain::makes_fine(),
        }
    }
    fn load(&self, _: Ordering) -> u64 {
        grain::touch(self.fine);
        self.word.load(Relaxed)
    }
    fn store(&self, value: u64, _: Ordering) {
        grain::touch(self.fine);
        self.word.store(value, Relaxed);
    }
    fn swap(&self, value: u64, _: Ordering) -> u64 {
        grain::touch(self.fine);
        self.word.swap(value, Relaxed)
    }
    fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        _: Ordering,
        _: Ordering,
    ) -> Result<u64, u64> {
        grain::touch(self.fine);
        self.word.compare_exchange(current, new, Relaxed, Relaxed)
    }
    fn compare_exchange_weak(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        Atomic::compare_exchange(self, current, new, success, failure)
    }
    fn fetch_add(&self, value: u64, _: Ordering) -> u64 {
        grain::touch(self.fine);
        self.word.fetch_add(value, Relaxed)
    }
    fn fetch_sub(&self, value: u64, _: Ordering) -> u64 {
        grain::touch(self.fine);
        self.word.fetch_sub(value, Relaxed)
    }
    fn fetch_and(&self, value: u64, _: Ordering) -> u64 {
        grain::touch(self.fine);
        self.word.fetch_and(value, Relaxed)
    }
    fn fetch_or(&self, value: u64, _: Ordering) -> u64 {
        grain::touch(self.fine);
        self.word.fetch_or(value, Relaxed)
    }
}
