//! The one seam: all that a scheme may ask of the machine it runs on.
//!
//! A scheme is written once, generic over [`Backend`], and runs unchanged on real atomics
//! (`Native`), under a model checker, or on a simulated machine. So the trait stays small: two
//! atomic words, three fences, a futex, and one turn of a polling loop.
//!
//! The parameter, and not a `cfg`, because one build then holds every backend at once. (The
//! precedent is folly's `Atom` template parameter with its `DeterministicAtomic`.)
//!
//! # The asymmetric pair
//!
//! [`light_fence`](Backend::light_fence) and [`heavy_fence`](Backend::heavy_fence) promise, of two
//! threads that run
//!
//! ```text
//! reader:     x.store(1); light_fence(); y.load()
//! suspender:  y.store(1); heavy_fence(); x.load()
//! ```
//!
//! that at least one load sees the other thread's store, **if** [`asymmetric`](Backend::asymmetric)
//! is true. Two light fences promise nothing to each other.

#![forbid(unsafe_code)]

use core::fmt::Debug;
use core::sync::atomic::Ordering;

#[cfg(feature = "std")]
mod native;
#[cfg(feature = "std")]
pub use native::Native;

/// An atomic word. Every operation names its [`Ordering`], and is `#[track_caller]`, so that a
/// backend can tell call sites apart (an ordering audit weakens one site at a time).
///
/// `T` is `u32` or `u64`; arithmetic wraps.
pub trait Atomic<T>: Debug + Send + Sync + 'static {
    /// A word that holds `value`.
    fn new(value: T) -> Self;
    /// Reads the word.
    #[track_caller]
    fn load(&self, order: Ordering) -> T;
    /// Writes the word.
    #[track_caller]
    fn store(&self, value: T, order: Ordering);
    /// Writes the word, and returns what it held.
    #[track_caller]
    fn swap(&self, value: T, order: Ordering) -> T;
    /// Writes `new` if the word holds `current`; never fails spuriously.
    ///
    /// # Errors
    /// The value found, when it is not `current`. It may be an old one, as a load's may.
    #[track_caller]
    fn compare_exchange(
        &self,
        current: T,
        new: T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<T, T>;
    /// The same, but may fail though the word holds `current`: for a loop that tries again. Costs one
    /// instruction less where the machine has a load-linked and a store-conditional.
    ///
    /// # Errors
    /// The value found, which may be `current`.
    #[track_caller]
    fn compare_exchange_weak(
        &self,
        current: T,
        new: T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<T, T>;
    /// Adds, and returns what the word held before.
    #[track_caller]
    fn fetch_add(&self, value: T, order: Ordering) -> T;
    /// Subtracts, and returns what the word held before.
    #[track_caller]
    fn fetch_sub(&self, value: T, order: Ordering) -> T;
    /// Clears the bits that `value` lacks, and returns what the word held before.
    #[track_caller]
    fn fetch_and(&self, value: T, order: Ordering) -> T;
    /// Sets the bits of `value`, and returns what the word held before.
    #[track_caller]
    fn fetch_or(&self, value: T, order: Ordering) -> T;
}

/// A machine that schemes run on. See the [module](self) for what the fences promise.
pub trait Backend: Copy + Debug + Send + Sync + 'static {
    /// The word that can be waited on (a futex is 32 bits wide).
    type U32: Atomic<u32>;
    /// The word for everything else: PTEs, frame numbers, counters.
    type U64: Atomic<u64>;

    /// A memory fence of the given ordering.
    #[track_caller]
    fn fence(order: Ordering);

    /// A full fence right after an atomic read-modify-write of the calling thread. Free where that is a full
    /// fence by itself (x86); elsewhere a [`fence`](Self::fence). Linux has it as `smp_mb__after_atomic()`.
    #[inline]
    #[track_caller]
    fn fence_after_rmw() {
        Self::fence(Ordering::SeqCst);
    }

    /// Writes the word with `order`, then a full fence. One instruction where an exchange is both (x86);
    /// elsewhere a store and a [`fence`](Self::fence). Linux has it as `smp_store_mb()`.
    #[inline]
    #[track_caller]
    fn store_mb(word: &Self::U64, value: u64, order: Ordering) {
        word.store(value, order);
        Self::fence(Ordering::SeqCst);
    }

    /// The reader's half of the asymmetric pair: costs nothing where it can (a compiler fence).
    #[track_caller]
    fn light_fence();

    /// The suspender's half of the asymmetric pair: makes every other thread execute a full fence
    /// (`membarrier(2)`, an IPI, a TLB-flush hypercall). Microseconds.
    #[track_caller]
    fn heavy_fence();

    /// Whether the asymmetric pair keeps its promise on this machine. A scheme asks once, when it
    /// is made, and falls back to [`fence`](Self::fence) on both sides when the answer is no.
    fn asymmetric() -> bool;

    /// Sleeps while `*word == expected`; may return early. A change of the word made before a
    /// [`wake_all`](Self::wake_all) is never missed. It orders no other memory access: reload.
    fn wait(word: &Self::U32, expected: u32);

    /// Wakes every thread in [`wait`](Self::wait) on this word.
    fn wake_all(word: &Self::U32);

    /// One turn of a loop that polls for somebody else's progress; `turn` counts up from 0, so
    /// that the backend can spin first, then yield, then nap.
    fn relax(turn: u32);
}
