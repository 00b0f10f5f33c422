//! A hold that begins after a resume sees what the suspender wrote.
//!
//! The entry is a word, read and written `Relaxed`, as a P2M's is: nothing but the scheme can bring
//! its new value to the reader. The reader knows that the resume has been, from a flag that brings
//! nothing: it is `Relaxed`, and set after the resume.

use super::Model;
use crate::backend::{Atomic, Backend};
use crate::conformance::exhaustive::stage::play;
use crate::conformance::verdict::{Expected, Kind};
use crate::scheme::{Reader, Scheme, Translate};
use std::sync::atomic::Ordering::Relaxed;

/// What a hold with an old value fails with.
pub const STALE: Expected = Expected::Fail(Kind::Assertion, "a stale MFN after the resume");

pub(super) fn model<B: Backend, S: Scheme<B>>() -> Model {
    Model::of::<B, S>("freshness", body::<B, S>, STALE)
}

fn body<B: Backend, S: Scheme<B>>(readers: usize) {
    play::<B, S>(
        readers,
        |stage, mut reader| {
            reader.quiescent();
            let resumed = stage.flag.load(Relaxed) == 1;
            let hold = reader.hold();
            let mfn = stage.p2m[0].load(Relaxed);
            drop(hold);
            assert!(!resumed || mfn == 1, "a stale MFN after the resume");
            reader
        },
        |stage, mut suspender| {
            let suspended = suspender.suspend();
            stage.p2m[0].store(1, Relaxed);
            drop(suspended);
            stage.flag.store(1, Relaxed);
            suspender
        },
    );
}
