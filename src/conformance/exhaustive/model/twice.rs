//! Two suspends in a row, and a reader that holds twice: nothing is left over from the first.
//!
//! A reader that slept through the first suspend may meet the second before its hold has begun.

use super::Model;
use crate::backend::Backend;
use crate::conformance::exhaustive::stage::play;
use crate::conformance::verdict::Expected;
use crate::scheme::{Reader, Scheme, Translate};

pub(super) fn model<B: Backend, S: Scheme<B>>() -> Model {
    Model {
        readers: &[1],
        ..Model::of::<B, S>("twice", body::<B, S>, Expected::RACE)
    }
}

fn body<B: Backend, S: Scheme<B>>(readers: usize) {
    play::<B, S>(
        readers,
        |stage, mut reader| {
            let mut seen = 0;
            for _ in 0..2 {
                let hold = reader.hold();
                let now = stage.payload.read();
                drop(hold);
                assert!(seen <= now, "an older incarnation than before");
                seen = now;
                reader.quiescent();
            }
            reader
        },
        |stage, mut suspender| {
            for incarnation in 1..=2 {
                let suspended = suspender.suspend();
                stage.payload.write(incarnation);
                drop(suspended);
            }
            suspender
        },
    );
}
