//! The backend: every operation a scheme performs becomes a point where shuttle may switch threads.
//!
//! | asked for | given |
//! |---|---|
//! | a word | a plain word, and a scheduling point before each operation ([`word`](super::word)) |
//! | `fence`, `light_fence`, `heavy_fence` | nothing: see below |
//! | `wait`, `wake_all` | a shuttle mutex and condition variable beside the word |
//! | `relax` | shuttle's `yield_now` |
//!
//! # What it cannot find
//!
//! shuttle runs one thread at a time, and an operation takes effect at once: every execution is
//! sequentially consistent, whatever orderings it names. shuttle has fences, and they do nothing;
//! nor do these. So this backend finds mistakes of **protocol** (a look too early, a wake-up that
//! nobody sends, a deadlock) and **never one of ordering**: that is what the exhaustive models are
//! for. [`Symmetric`] runs a scheme's fallback path; a scheme that does not ask
//! [`asymmetric`](Backend::asymmetric) at all is not caught here.
//!
//! `wait` never returns early here, as a futex may.

use super::word::{Word32, Word64};
use crate::backend::Backend;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::atomic::Ordering;

/// What the machine says of its asymmetric fences.
pub trait Fences: Copy + Debug + Send + Sync + 'static {
    /// Whether the pair keeps its promise.
    const ASYMMETRIC: bool;
    /// What the world on such a machine is called in a row.
    const WORLD: &'static str;
}

/// A machine with `membarrier`.
#[derive(Clone, Copy, Debug)]
pub struct Asymmetric;

impl Fences for Asymmetric {
    const ASYMMETRIC: bool = true;
    const WORLD: &'static str = "membarrier";
}

/// A machine without: schemes take their other way.
#[derive(Clone, Copy, Debug)]
pub struct Symmetric;

impl Fences for Symmetric {
    const ASYMMETRIC: bool = false;
    const WORLD: &'static str = "no_membarrier";
}

/// A machine whose threads run in an order that a shuttle scheduler chooses.
///
/// Usable only within a shuttle execution; elsewhere its words panic.
#[derive(Clone, Copy, Debug)]
pub struct Random<F: Fences = Asymmetric>(PhantomData<F>);

impl<F: Fences> Backend for Random<F> {
    type U32 = Word32;
    type U64 = Word64;

    fn fence(_: Ordering) {}

    fn light_fence() {}

    fn heavy_fence() {}

    fn asymmetric() -> bool {
        F::ASYMMETRIC
    }

    fn wait(word: &Word32, expected: u32) {
        word.wait(expected);
    }

    fn wake_all(word: &Word32) {
        word.wake_all();
    }

    fn relax(_: u32) {
        shuttle::thread::yield_now();
    }
}
