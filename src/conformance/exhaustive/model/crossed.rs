//! Two holds of one reader that end in the order in which they began: the inner one, alone, still holds.

use super::Model;
use crate::backend::Backend;
use crate::conformance::exhaustive::stage::play;
use crate::conformance::verdict::Expected;
use crate::scheme::{Reader, Scheme, Translate};

pub(super) fn model<B: Backend, S: Scheme<B>>() -> Model {
    Model {
        readers: if S::CLAIMS.nests { &[1] } else { &[] },
        ..Model::of::<B, S>("crossed", body::<B, S>, Expected::RACE)
    }
}

fn body<B: Backend, S: Scheme<B>>(readers: usize) {
    play::<B, S>(
        readers,
        |stage, reader| {
            let outer = reader.hold();
            let inner = reader.hold();
            drop(outer);
            stage.payload.read();
            drop(inner);
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
