//! A reader that registers while a suspend is under way, in a slot that nobody has had.
//!
//! The suspender must look at it too, or the gate must keep it out.

use super::Model;
use crate::backend::Backend;
use crate::conformance::exhaustive::stage::{Late, Play};
use crate::conformance::verdict::Expected;
use crate::scheme::{Reader, Scheme, Translate};

pub(super) fn model<B: Backend, S: Scheme<B>>() -> Model {
    Model {
        readers: &[1],
        ..Model::of::<B, S>("joins", body::<B, S>, Expected::RACE)
    }
}

fn body<B: Backend, S: Scheme<B>>(_: usize) {
    let joins: Late<B, S> = |stage| {
        let reader = stage.scheme.reader().expect("a slot is free");
        let hold = reader.hold();
        stage.payload.read();
        drop(hold);
        reader
    };
    Play::with(Vec::new())
        .and_late(joins)
        .run(|stage, mut suspender| {
            let suspended = suspender.suspend();
            stage.payload.write(1);
            drop(suspended);
            suspender
        });
}
