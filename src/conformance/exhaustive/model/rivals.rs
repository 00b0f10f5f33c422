//! Two suspenders: one at a time, and each sees what the other did.
//!
//! With a reader, that sees none of it half done.

use super::Model;
use crate::backend::Backend;
use crate::conformance::exhaustive::stage::{Play, Role, Stage};
use crate::conformance::verdict::Expected;
use crate::scheme::{Reader, Scheme, Translate};

pub(super) fn model<B: Backend, S: Scheme<B>>() -> Model {
    let model = Model {
        readers: &[0, 1],
        suspenders: 2,
        ..Model::of::<B, S>("rivals", body::<B, S>, Expected::RACE)
    };
    if S::CLAIMS.suspends_alone && !S::CLAIMS.holds {
        // Alone with each other the suspenders are as they should be, and that is what is claimed.
        return Model {
            readers: &[0],
            expected: Expected::Pass,
            ..model
        };
    }
    model
}

fn body<B: Backend, S: Scheme<B>>(readers: usize) {
    let mut roles: Vec<Role<B, S>> = vec![hold_once::<B, S>; readers];
    roles.push(suspend_once::<B, S>);
    Play::with(roles).run(suspend_once::<B, S>);
}

fn hold_once<B: Backend, S: Scheme<B>>(
    stage: &'static Stage<B, S>,
    reader: S::Reader<'static>,
) -> S::Reader<'static> {
    let hold = reader.hold();
    stage.payload.read();
    drop(hold);
    reader
}

fn suspend_once<B: Backend, S: Scheme<B>>(
    stage: &'static Stage<B, S>,
    mut suspender: S::Reader<'static>,
) -> S::Reader<'static> {
    let suspended = suspender.suspend();
    stage.payload.write(stage.payload.read() + 1);
    drop(suspended);
    suspender
}
