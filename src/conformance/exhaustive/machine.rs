//! The loom backend: every operation a scheme performs becomes a choice that loom explores.
//!
//! | asked for | given |
//! |---|---|
//! | a word | loom's atomic of the same width |
//! | `light_fence`, `heavy_fence` | `fence(SeqCst)`, both; loom knows no asymmetric fence |
//! | `wait`, `wake_all` | a loom mutex and condition variable beside the word |
//! | `relax` | `yield_now`; so many in a row are a deadlock |
//!
//! So two things are **stronger** here than on a machine, and no model can say that they suffice:
//! the light fence, and the happens-before edges of the futex's mutex (a futex promises none).
//!
//! loom treats SeqCst *accesses* as AcqRel, and keeps the last seven stores of a word: a load never
//! returns an older one.

use super::fence;
use super::mutation::{Access, AsWritten, Mutation};
use super::site;
use super::word::{Word32, Word64};
use crate::backend::Backend;
use std::marker::PhantomData;
use std::sync::atomic::Ordering::{self, SeqCst};

/// Turns of one poll. Between two of them every thread that can run does, until it sleeps or polls itself, and a load
/// after a yield returns no store twice that has been overwritten: whoever polls so often waits for
/// somebody that will never come.
const ENDLESS: u32 = 256;

/// A model-checked machine; `M` says what is wrong with it. Usable only within a loom model.
#[derive(Clone, Copy, Debug)]
pub struct Loom<M: Mutation = AsWritten>(PhantomData<M>);

impl<M: Mutation> Backend for Loom<M> {
    type U32 = Word32<M>;
    type U64 = Word64<M>;

    #[track_caller]
    fn fence(order: Ordering) {
        fence::fence(site::order::<M>(Access::Fence, order));
    }

    #[track_caller]
    fn light_fence() {
        let order = site::order::<M>(Access::LightFence, SeqCst);
        if M::LIGHT_FENCE {
            fence::fence(order);
        }
    }

    #[track_caller]
    fn heavy_fence() {
        fence::fence(site::order::<M>(Access::HeavyFence, SeqCst));
    }

    fn asymmetric() -> bool {
        site::ask();
        M::ASYMMETRIC
    }

    fn wait(word: &Word32<M>, expected: u32) {
        word.wait(expected);
    }

    fn wake_all(word: &Word32<M>) {
        word.wake_all();
    }

    fn relax(turn: u32) {
        assert!(turn < ENDLESS, "deadlock; a poll that nobody ends");
        loom::thread::yield_now();
    }
}
