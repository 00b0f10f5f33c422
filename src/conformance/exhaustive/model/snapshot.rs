//! What a snapshot returns was all true at one instant.
//!
//! Two entries are equal except while a suspend changes them. For a scheme without a snapshot of its
//! own this is a hold; `exclusion` has two of those at once.

use super::Model;
use crate::backend::{Atomic, Backend};
use crate::conformance::exhaustive::stage::play;
use crate::conformance::verdict::{Expected, Kind};
use crate::scheme::{Reader, Scheme};
use std::sync::atomic::Ordering::Relaxed;

/// What a snapshot of half a suspend fails with.
pub const TORN: Expected = Expected::Fail(Kind::Assertion, "a torn snapshot");

pub(super) fn model<B: Backend, S: Scheme<B>>() -> Model {
    let model = Model::of::<B, S>("snapshot", body::<B, S>, TORN);
    if S::CLAIMS.snapshot_free_of_writes {
        return model;
    }
    Model {
        readers: &[1],
        ..model
    }
}

fn body<B: Backend, S: Scheme<B>>(readers: usize) {
    play::<B, S>(
        readers,
        |stage, mut reader| {
            reader.quiescent();
            let [first, second] =
                reader.snapshot(|| [stage.p2m[0].load(Relaxed), stage.p2m[1].load(Relaxed)]);
            assert!(first == second, "a torn snapshot");
            reader
        },
        |stage, mut suspender| {
            let suspended = suspender.suspend();
            stage.p2m[0].store(1, Relaxed);
            stage.p2m[1].store(1, Relaxed);
            drop(suspended);
            suspender
        },
    );
}
