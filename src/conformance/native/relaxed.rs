//! A machine on which no access orders anything: what `ThreadSanitizer` must report.
//!
//! [`Native`], but every access is `Relaxed`, whatever was asked for. x86 orders loads and stores in
//! any case, so nothing goes wrong there; but nothing happens before anything else any more, and a
//! sanitizer that watches [`plain`](super::plain) memory has to say so, of every scheme that
//! protects anything. If it does not, its silence about the intact scheme says nothing.

use crate::backend::{Atomic, Backend, Native};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, Ordering::Relaxed};

/// Added to a scheme's name in results.
pub const SUFFIX: &str = "-relaxed";

/// [`Native`] with `Relaxed` accesses; fences are as they were.
#[derive(Clone, Copy, Debug)]
pub struct NativeRelaxed;

/// A word whose accesses are all `Relaxed`.
#[derive(Debug)]
pub struct Weak<A>(A);

impl<T: 'static, A: Atomic<T>> Atomic<T> for Weak<A> {
    fn new(value: T) -> Self {
        Self(A::new(value))
    }
    fn load(&self, _: Ordering) -> T {
        self.0.load(Relaxed)
    }
    fn store(&self, value: T, _: Ordering) {
        self.0.store(value, Relaxed);
    }
    fn swap(&self, value: T, _: Ordering) -> T {
        self.0.swap(value, Relaxed)
    }
    fn compare_exchange(&self, current: T, new: T, _: Ordering, _: Ordering) -> Result<T, T> {
        self.0.compare_exchange(current, new, Relaxed, Relaxed)
    }
    fn compare_exchange_weak(&self, current: T, new: T, _: Ordering, _: Ordering) -> Result<T, T> {
        self.0.compare_exchange_weak(current, new, Relaxed, Relaxed)
    }
    fn fetch_add(&self, value: T, _: Ordering) -> T {
        self.0.fetch_add(value, Relaxed)
    }
    fn fetch_sub(&self, value: T, _: Ordering) -> T {
        self.0.fetch_sub(value, Relaxed)
    }
    fn fetch_and(&self, value: T, _: Ordering) -> T {
        self.0.fetch_and(value, Relaxed)
    }
    fn fetch_or(&self, value: T, _: Ordering) -> T {
        self.0.fetch_or(value, Relaxed)
    }
}

impl Backend for NativeRelaxed {
    type U32 = Weak<AtomicU32>;
    type U64 = Weak<AtomicU64>;

    fn fence(order: Ordering) {
        Native::fence(order);
    }
    fn light_fence() {
        Native::light_fence();
    }
    fn heavy_fence() {
        Native::heavy_fence();
    }
    fn asymmetric() -> bool {
        Native::asymmetric()
    }
    fn wait(word: &Weak<AtomicU32>, expected: u32) {
        Native::wait(&word.0, expected);
    }
    fn wake_all(word: &Weak<AtomicU32>) {
        Native::wake_all(&word.0);
    }
    fn relax(turn: u32) {
        Native::relax(turn);
    }
}
