//! A guard that is leaked, and its reader dropped.
//!
//! A scheme that says so ends the hold with its reader, whose slot the next one finds empty. In any
//! other the hold lasts for ever, and the suspender waits: that is safe.

use super::Model;
use crate::backend::Backend;
use crate::conformance::exhaustive::stage::play;
use crate::conformance::verdict::Expected;
use crate::scheme::{Reader, Scheme, Translate};
use std::mem;

pub(super) fn model<B: Backend, S: Scheme<B>>() -> Model {
    let model = Model {
        readers: &[1],
        ..Model::of::<B, S>("leaks", body::<B, S>, Expected::RACE)
    };
    if S::CLAIMS.drop_ends_leaks || !S::CLAIMS.holds {
        return model;
    }
    Model {
        expected: Expected::DEADLOCK,
        ..model
    }
}

fn body<B: Backend, S: Scheme<B>>(readers: usize) {
    play::<B, S>(
        readers,
        |stage, reader| {
            let hold = reader.hold();
            stage.payload.read();
            mem::forget(hold);
            drop(reader);
            stage.scheme.reader().expect("the slot just left")
        },
        |stage, mut suspender| {
            let suspended = suspender.suspend();
            stage.payload.write(1);
            drop(suspended);
            suspender
        },
    );
}
