//! No suspend completes while a hold lives, and no hold begins before it is resumed.
//!
//! The reader reads the payload in a hold, the suspender writes it while it suspends. Two readers
//! may read at once.

use super::Model;
use crate::backend::Backend;
use crate::conformance::exhaustive::stage::play;
use crate::conformance::verdict::Expected;
use crate::scheme::{Reader, Scheme, Translate};

pub(super) fn model<B: Backend, S: Scheme<B>>() -> Model {
    Model {
        readers: &[1, 2, 3],
        ..Model::of::<B, S>("exclusion", body::<B, S>, Expected::RACE)
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
            stage.payload.write(1);
            drop(suspended);
            suspender
        },
    );
}
