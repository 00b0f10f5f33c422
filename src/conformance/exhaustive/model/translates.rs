//! The suspender itself may translate while it suspends, and that neither waits for itself nor lets
//! anybody in.

use super::Model;
use crate::backend::Backend;
use crate::conformance::exhaustive::stage::play;
use crate::conformance::verdict::Expected;
use crate::scheme::{Reader, Scheme, Translate};

pub(super) fn model<B: Backend, S: Scheme<B>>() -> Model {
    Model {
        readers: &[1],
        ..Model::of::<B, S>("translates", body::<B, S>, Expected::RACE)
    }
}

fn body<B: Backend, S: Scheme<B>>(readers: usize) {
    play::<B, S>(
        readers,
        |stage, reader| {
            let hold = reader.hold();
            stage.payload.read();
            drop(hold);
            reader
        },
        |stage, mut suspender| {
            let suspended = suspender.suspend();
            let hold = suspended.hold();
            stage.payload.read();
            drop(hold);
            stage.payload.write(1);
            drop(suspended);
            suspender
        },
    );
}
