//! Machines with a fence taken away: what the stress must catch.
//!
//! A real backend, std's atomics and the futex, but some fences are compiler fences only. So a
//! scheme is compiled as ever, and nothing in it is changed. Whether a scheme relies on what was
//! taken away is asked of itself ([`harms`]): no list says so.

use crate::backend::{Backend, Native};
use crate::scheme::{Reader, Scheme, Size, Translate};
use std::cell::Cell;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, Ordering::SeqCst, compiler_fence};

thread_local! {
    /// Fences that this thread asked for and did not get.
    static MISSED: Cell<u64> = const { Cell::new(0) };
}

/// What is taken away.
pub trait Removal: Copy + Debug + Send + Sync + 'static {
    /// Added to a scheme's name in results.
    const SUFFIX: &'static str;
    /// Full fences are compiler fences.
    const FENCE: bool;
    /// Heavy fences are compiler fences.
    const HEAVY: bool;
    /// The backend says that it has no asymmetric pair, so that schemes fall back.
    const SYMMETRIC: bool;
}

/// Without full fences.
#[derive(Clone, Copy, Debug)]
pub struct Fence;

impl Removal for Fence {
    const SUFFIX: &'static str = "-without-fence";
    const FENCE: bool = true;
    const HEAVY: bool = false;
    const SYMMETRIC: bool = false;
}

/// Without heavy fences, though the backend promises them.
#[derive(Clone, Copy, Debug)]
pub struct HeavyFence;

impl Removal for HeavyFence {
    const SUFFIX: &'static str = "-without-membarrier";
    const FENCE: bool = false;
    const HEAVY: bool = true;
    const SYMMETRIC: bool = false;
}

/// Without an asymmetric pair, and without the full fences of the fallback.
#[derive(Clone, Copy, Debug)]
pub struct Fallback;

impl Removal for Fallback {
    const SUFFIX: &'static str = "-symmetric-without-fence";
    const FENCE: bool = true;
    const HEAVY: bool = true;
    const SYMMETRIC: bool = true;
}

/// [`Native`] without something.
#[derive(Clone, Copy, Debug)]
pub struct NativeWithout<R: Removal>(PhantomData<R>);

/// Instead of a fence: nothing that the machine executes, and a count.
fn miss() {
    MISSED.set(MISSED.get() + 1);
    compiler_fence(SeqCst);
}

impl<R: Removal> Backend for NativeWithout<R> {
    type U32 = AtomicU32;
    type U64 = AtomicU64;

    #[inline]
    fn fence(order: Ordering) {
        // The other fences are compiler fences on x86 in any case.
        if R::FENCE && order == SeqCst {
            miss();
        } else {
            Native::fence(order);
        }
    }

    #[inline]
    fn fence_after_rmw() {
        // On x86 the read-modify-write is the fence, and cannot be taken away.
        Native::fence_after_rmw();
    }

    #[inline]
    fn store_mb(word: &AtomicU64, value: u64, order: Ordering) {
        if R::FENCE {
            word.store(value, order);
            miss();
        } else {
            Native::store_mb(word, value, order);
        }
    }

    #[inline]
    fn light_fence() {
        Native::light_fence();
    }

    fn heavy_fence() {
        if R::HEAVY {
            miss();
        } else {
            Native::heavy_fence();
        }
    }

    fn asymmetric() -> bool {
        !R::SYMMETRIC && Native::asymmetric()
    }

    fn wait(word: &AtomicU32, expected: u32) {
        Native::wait(word, expected);
    }

    fn wake_all(word: &AtomicU32) {
        Native::wake_all(word);
    }

    fn relax(turn: u32) {
        Native::relax(turn);
    }
}

/// Whether this scheme asks for what is taken away, where it shows: for a fence in a hold (a suspend begins
/// with an exchange, which on x86 is one), for a heavy fence in a suspend. One of each is made, by one
/// thread.
///
/// # Panics
/// If the scheme has no room for one reader.
pub fn harms<R: Removal, S: Scheme<NativeWithout<R>>>() -> bool {
    let scheme = S::new(Size::readers(1));
    let mut reader = scheme.reader().expect("room for one reader");
    let before = MISSED.get();
    drop(reader.hold());
    if !R::FENCE {
        drop(reader.suspend());
    }
    MISSED.get() > before
}
