//! A hold within a hold, against a suspender that waits for the outer one.
//!
//! The inner hold must not wait for the suspender, and its end must not end the outer one. A scheme
//! that does not claim to nest must deadlock here: that is why it does not claim it.

use super::Model;
use crate::backend::Backend;
use crate::conformance::exhaustive::stage::play;
use crate::conformance::verdict::Expected;
use crate::scheme::{Reader, Scheme, Translate};

pub(super) fn model<B: Backend, S: Scheme<B>>() -> Model {
    let model = Model::of::<B, S>("nested", body::<B, S>, Expected::RACE);
    if S::CLAIMS.nests {
        return model;
    }
    Model {
        readers: &[1],
        expected: Expected::DEADLOCK,
        ..model
    }
}

fn body<B: Backend, S: Scheme<B>>(readers: usize) {
    play::<B, S>(
        readers,
        |stage, reader| {
            let outer = reader.hold();
            let inner = reader.hold();
            drop(inner);
            stage.payload.read();
            drop(outer);
            reader
        },
        |stage, mut suspender| {
            let suspended = suspender.suspend();
            stage.payload.write(1);
            drop(suspended);
            suspender
        },
    );
}
