//! A reader that unregisters while a suspend is under way, and registers again.
//!
//! The slot it leaves must mean "no hold", and whoever takes it next must find it so.

use super::Model;
use crate::backend::Backend;
use crate::conformance::exhaustive::stage::play;
use crate::conformance::verdict::Expected;
use crate::scheme::{Reader, Scheme, Translate};

pub(super) fn model<B: Backend, S: Scheme<B>>() -> Model {
    Model::of::<B, S>("departs", body::<B, S>, Expected::RACE)
}

fn body<B: Backend, S: Scheme<B>>(readers: usize) {
    play::<B, S>(
        readers,
        |stage, reader| {
            let hold = reader.hold();
            stage.payload.read();
            drop(hold);
            drop(reader);
            let reader = stage.scheme.reader().expect("the slot just left");
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
