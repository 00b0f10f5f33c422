//! Two suspenders that find the same reader inside: both wait, and each has the world to itself.
//!
//! The reader holds before anybody else runs; whoever comes when it has left takes what it gave up.

use super::Model;
use crate::backend::Backend;
use crate::conformance::exhaustive::stage::{Play, Role};
use crate::conformance::verdict::Expected;
use crate::scheme::{Reader, Scheme, Translate};

pub(super) fn model<B: Backend, S: Scheme<B>>() -> Model {
    Model {
        readers: &[1],
        suspenders: 2,
        ..Model::of::<B, S>("queued", body::<B, S>, Expected::RACE)
    }
}

fn body<B: Backend, S: Scheme<B>>(_: usize) {
    let suspends: Role<B, S> = |stage, mut suspender| {
        let suspended = suspender.suspend();
        stage.payload.write(stage.payload.read() + 1);
        drop(suspended);
        suspender
    };
    Play::with(vec![suspends; 2]).run_after(|stage, reader, others| {
        let hold = reader.hold();
        others.start();
        stage.payload.read();
        drop(hold);
        reader
    });
}
