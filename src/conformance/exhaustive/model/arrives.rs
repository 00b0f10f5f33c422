//! A reader that arrives while the suspender waits for another.
//!
//! The first reader holds before anybody else runs, so the suspender finds it inside; the others come
//! at each point of the drain, before it, and after. (Of two, one may have left when the suspender comes, and
//! the other wait behind it.)

use super::Model;
use crate::backend::Backend;
use crate::conformance::exhaustive::stage::{Play, Role};
use crate::conformance::verdict::Expected;
use crate::scheme::{Reader, Scheme, Translate};

pub(super) fn model<B: Backend, S: Scheme<B>>() -> Model {
    Model {
        readers: &[2, 3],
        ..Model::of::<B, S>("arrives", body::<B, S>, Expected::RACE)
    }
}

fn body<B: Backend, S: Scheme<B>>(readers: usize) {
    let arrives: Role<B, S> = |stage, reader| {
        let hold = reader.hold();
        stage.payload.read();
        drop(hold);
        reader
    };
    let suspends: Role<B, S> = |stage, mut suspender| {
        let suspended = suspender.suspend();
        stage.payload.write(1);
        drop(suspended);
        suspender
    };
    let mut roles = vec![arrives; readers - 1];
    roles.push(suspends);
    Play::with(roles).run_after(|stage, reader, others| {
        let hold = reader.hold();
        others.start();
        stage.payload.read();
        drop(hold);
        reader
    });
}
