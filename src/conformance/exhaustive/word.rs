//! loom's atomics as a backend's words.
//!
//! A [`Word32`] can be waited on. Its `mutex` makes looking at the word and going to sleep one step
//! against waking, as the kernel's hash-bucket lock does for a futex.

use super::fence;
use super::mutation::{Access, Mutation};
use super::site;
use crate::backend::Atomic;
use loom::sync::atomic::{AtomicU32, AtomicU64};
use loom::sync::{Condvar, Mutex};
use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::Ordering::{self, Relaxed};

/// A value that no word ever holds, for [`Word32::newest`].
const RESERVED: u32 = u32::MAX;

thread_local! {
    /// Which weak compare-exchange of an execution fails for no reason; 0: none.
    static DOOMED: Cell<usize> = const { Cell::new(0) };
    /// Weak compare-exchanges of this execution, and the most that one has had since [`doom`].
    static WEAK: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// From now on, the `nth` weak compare-exchange of each execution fails for no reason; 0: none does.
pub(super) fn doom(nth: usize) {
    DOOMED.set(nth);
    WEAK.set((0, 0));
}

/// Begins to count anew.
pub(super) fn begin_execution() {
    WEAK.set((0, WEAK.get().1));
}

/// The most weak compare-exchanges that one execution has had since [`doom`].
pub(super) fn most_weak_exchanges() -> usize {
    WEAK.get().1
}

/// Whether this weak compare-exchange is the doomed one.
fn is_doomed() -> bool {
    let (now, most) = WEAK.get();
    WEAK.set((now + 1, most.max(now + 1)));
    now + 1 == DOOMED.get()
}

/// A 64-bit word.
#[derive(Debug)]
pub struct Word64<M> {
    word: AtomicU64,
    mutation: PhantomData<M>,
}

/// A 32-bit word, and where its waiters sleep.
#[derive(Debug)]
pub struct Word32<M> {
    word: AtomicU32,
    mutex: Mutex<()>,
    changed: Condvar,
    mutation: PhantomData<M>,
}

impl<M: Mutation> Word32<M> {
    /// Sleeps while the word holds `expected`, unless woken.
    pub(crate) fn wait(&self, expected: u32) {
        let asleep = self.mutex.lock().unwrap();
        if self.newest() == expected {
            drop(self.changed.wait(asleep).unwrap());
        }
    }

    /// Wakes every waiter. Whoever looks at the word later finds it changed, or was here before.
    pub(crate) fn wake_all(&self) {
        let _nobody_falls_asleep = self.mutex.lock().unwrap();
        self.changed.notify_all();
    }

    /// The newest value. A load may return an old one, which a kernel never does under its lock; so
    /// this is a read-modify-write that fails. It must not succeed: a store of what was there could
    /// come after the waker's plain store, and undo it (`litmus` has that mistake).
    fn newest(&self) -> u32 {
        self.word
            .compare_exchange(RESERVED, RESERVED, Relaxed, Relaxed)
            .unwrap_or_else(|found| found)
    }
}

impl<M: Mutation> Atomic<u32> for Word32<M> {
    fn new(value: u32) -> Self {
        fence::prepare();
        Self {
            word: AtomicU32::new(value),
            mutex: Mutex::new(()),
            changed: Condvar::new(),
            mutation: PhantomData,
        }
    }
    #[track_caller]
    fn load(&self, order: Ordering) -> u32 {
        self.word.load(site::order::<M>(Access::Load, order))
    }
    #[track_caller]
    fn store(&self, value: u32, order: Ordering) {
        self.word
            .store(value, site::order::<M>(Access::Store, order));
    }
    #[track_caller]
    fn swap(&self, value: u32, order: Ordering) -> u32 {
        self.word.swap(value, site::order::<M>(Access::Rmw, order))
    }
    #[track_caller]
    fn compare_exchange(
        &self,
        current: u32,
        new: u32,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u32, u32> {
        let success = site::order::<M>(Access::Rmw, success);
        let failure = site::order::<M>(Access::Failure, failure);
        if M::STALE_FAILURE {
            // A failure is a load, and may return what a load may; success needs the newest value.
            let seen = self.word.load(failure);
            if seen != current {
                return Err(seen);
            }
        }
        self.word.compare_exchange(current, new, success, failure)
    }
    #[track_caller]
    fn compare_exchange_weak(
        &self,
        current: u32,
        new: u32,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u32, u32> {
        if is_doomed() {
            return Err(self.word.load(failure));
        }
        self.compare_exchange(current, new, success, failure)
    }
    #[track_caller]
    fn fetch_add(&self, value: u32, order: Ordering) -> u32 {
        self.word
            .fetch_add(value, site::order::<M>(Access::Rmw, order))
    }
    #[track_caller]
    fn fetch_sub(&self, value: u32, order: Ordering) -> u32 {
        self.word
            .fetch_sub(value, site::order::<M>(Access::Rmw, order))
    }
    #[track_caller]
    fn fetch_and(&self, value: u32, order: Ordering) -> u32 {
        self.word
            .fetch_and(value, site::order::<M>(Access::Rmw, order))
    }
    #[track_caller]
    fn fetch_or(&self, value: u32, order: Ordering) -> u32 {
        self.word
            .fetch_or(value, site::order::<M>(Access::Rmw, order))
    }
}

impl<M: Mutation> Atomic<u64> for Word64<M> {
    fn new(value: u64) -> Self {
        fence::prepare();
        Self {
            word: AtomicU64::new(value),
            mutation: PhantomData,
        }
    }
    #[track_caller]
    fn load(&self, order: Ordering) -> u64 {
        self.word.load(site::order::<M>(Access::Load, order))
    }
    #[track_caller]
    fn store(&self, value: u64, order: Ordering) {
        self.word
            .store(value, site::order::<M>(Access::Store, order));
    }
    #[track_caller]
    fn swap(&self, value: u64, order: Ordering) -> u64 {
        self.word.swap(value, site::order::<M>(Access::Rmw, order))
    }
    #[track_caller]
    fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        let success = site::order::<M>(Access::Rmw, success);
        let failure = site::order::<M>(Access::Failure, failure);
        if M::STALE_FAILURE {
            // A failure is a load, and may return what a load may; success needs the newest value.
            let seen = self.word.load(failure);
            if seen != current {
                return Err(seen);
            }
        }
        self.word.compare_exchange(current, new, success, failure)
    }
    #[track_caller]
    fn compare_exchange_weak(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        if is_doomed() {
            return Err(self.word.load(failure));
        }
        self.compare_exchange(current, new, success, failure)
    }
    #[track_caller]
    fn fetch_add(&self, value: u64, order: Ordering) -> u64 {
        self.word
            .fetch_add(value, site::order::<M>(Access::Rmw, order))
    }
    #[track_caller]
    fn fetch_sub(&self, value: u64, order: Ordering) -> u64 {
        self.word
            .fetch_sub(value, site::order::<M>(Access::Rmw, order))
    }
    #[track_caller]
    fn fetch_and(&self, value: u64, order: Ordering) -> u64 {
        self.word
            .fetch_and(value, site::order::<M>(Access::Rmw, order))
    }
    #[track_caller]
    fn fetch_or(&self, value: u64, order: Ordering) -> u64 {
        self.word
            .fetch_or(value, site::order::<M>(Access::Rmw, order))
    }
}
