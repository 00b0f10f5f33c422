//! Counts what a thread writes, for [`Claims::snapshot_free_of_writes`](crate::scheme::Claims).
//!
//! A backend that wraps another and counts, by thread, the stores and the read-modify-writes of its
//! words. A compare-exchange counts even where it fails: the CPU takes the line to itself all the same.

mod snapshots;

use crate::backend::{Atomic, Backend};
pub(super) use snapshots::check;
pub use snapshots::{HEADER, Row, all};
use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::Ordering;

/// Operations of one thread that write shared words, or may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Writes {
    /// Plain stores.
    pub stores: u64,
    /// Read-modify-writes.
    pub rmws: u64,
}

thread_local! {
    static WRITES: Cell<Writes> = const { Cell::new(Writes { stores: 0, rmws: 0 }) };
}

fn store() {
    let now = WRITES.get();
    WRITES.set(Writes {
        stores: now.stores + 1,
        ..now
    });
}

fn rmw() {
    let now = WRITES.get();
    WRITES.set(Writes {
        rmws: now.rmws + 1,
        ..now
    });
}

/// What this thread writes while `run` runs.
fn written(run: impl FnOnce()) -> Writes {
    let before = WRITES.replace(Writes::default());
    run();
    WRITES.replace(before)
}

/// Runs something whose writes do not count.
fn uncounted(run: impl FnOnce()) {
    let before = WRITES.get();
    run();
    WRITES.set(before);
}

/// A word that counts; `A` is the word itself.
#[derive(Debug)]
pub struct Counted<A>(A);

impl<T, A: Atomic<T>> Atomic<T> for Counted<A> {
    fn new(value: T) -> Self {
        Self(A::new(value))
    }
    fn load(&self, order: Ordering) -> T {
        self.0.load(order)
    }
    fn store(&self, value: T, order: Ordering) {
        store();
        self.0.store(value, order);
    }
    fn swap(&self, value: T, order: Ordering) -> T {
        rmw();
        self.0.swap(value, order)
    }
    fn compare_exchange(&self, current: T, new: T, ok: Ordering, err: Ordering) -> Result<T, T> {
        rmw();
        self.0.compare_exchange(current, new, ok, err)
    }
    fn compare_exchange_weak(
        &self,
        current: T,
        new: T,
        ok: Ordering,
        err: Ordering,
    ) -> Result<T, T> {
        rmw();
        self.0.compare_exchange_weak(current, new, ok, err)
    }
    fn fetch_add(&self, value: T, order: Ordering) -> T {
        rmw();
        self.0.fetch_add(value, order)
    }
    fn fetch_sub(&self, value: T, order: Ordering) -> T {
        rmw();
        self.0.fetch_sub(value, order)
    }
    fn fetch_and(&self, value: T, order: Ordering) -> T {
        rmw();
        self.0.fetch_and(value, order)
    }
    fn fetch_or(&self, value: T, order: Ordering) -> T {
        rmw();
        self.0.fetch_or(value, order)
    }
}

/// `B`, whose words count.
#[derive(Clone, Copy, Debug)]
pub struct Counting<B>(PhantomData<B>);

impl<B: Backend> Backend for Counting<B> {
    type U32 = Counted<B::U32>;
    type U64 = Counted<B::U64>;

    fn fence(order: Ordering) {
        B::fence(order);
    }
    fn light_fence() {
        B::light_fence();
    }
    fn heavy_fence() {
        B::heavy_fence();
    }
    fn asymmetric() -> bool {
        B::asymmetric()
    }
    fn wait(word: &Self::U32, expected: u32) {
        B::wait(&word.0, expected);
    }
    fn wake_all(word: &Self::U32) {
        B::wake_all(&word.0);
    }
    fn relax(turn: u32) {
        B::relax(turn);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Native;

    #[test]
    fn every_kind_of_write_is_counted() {
        type Word = <Counting<Native> as Backend>::U64;
        use Ordering::Relaxed;
        let word = <Word as Atomic<u64>>::new(1);
        let writes = written(|| {
            word.load(Relaxed);
            word.store(2, Relaxed);
            word.swap(3, Relaxed);
            word.fetch_add(1, Relaxed);
            word.fetch_sub(1, Relaxed);
            word.fetch_and(3, Relaxed);
            word.fetch_or(3, Relaxed);
            let _ = word.compare_exchange(9, 1, Relaxed, Relaxed);
            let _ = word.compare_exchange_weak(3, 1, Relaxed, Relaxed);
        });
        assert_eq!(writes, Writes { stores: 1, rmws: 7 });
    }
}
