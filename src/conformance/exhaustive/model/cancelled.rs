//! A suspend that is cancelled changes nothing, and everybody proceeds.
//!
//! The suspender only looks: what a reader translates is the same before and after.

use super::Model;
use crate::backend::Backend;
use crate::conformance::exhaustive::stage::play;
use crate::conformance::verdict::Expected;
use crate::scheme::{Reader, Scheme, Translate};

pub(super) fn model<B: Backend, S: Scheme<B>>() -> Model {
    // A control passes as well: nobody waits, and nothing changes.
    Model::of::<B, S>("cancelled", body::<B, S>, Expected::Pass)
}

fn body<B: Backend, S: Scheme<B>>(readers: usize) {
    play::<B, S>(
        readers,
        |stage, reader| {
            let hold = reader.hold();
            assert!(stage.payload.read() == 0, "a cancelled suspend changed it");
            drop(hold);
            reader
        },
        |stage, mut suspender| {
            let suspended = suspender.suspend();
            stage.payload.read();
            drop(suspended);
            suspender
        },
    );
}
