//! Two suspenders: one at a time, and each sees what the other did.
//!
//! With a reader, that sees none of it half done.

use super::Model;
use crate::stage::{Role, Stage, cast};
use crate::verdict::Expected;
use ptom::backend::Backend;
use ptom::scheme::{Reader, Scheme, Translate};

pub(super) fn model<B: Backend, S: Scheme<B>>() -> Model {
    Model {
        readers: &[0, 1],
        suspenders: 2,
        ..Model::of::<B, S>("rivals", body::<B, S>, Expected::RACE)
    }
}

fn body<B: Backend, S: Scheme<B>>(readers: usize) {
    let mut roles: Vec<Role<B, S>> = vec![hold_once::<B, S>; readers];
    roles.push(suspend_once::<B, S>);
    cast(roles, suspend_once::<B, S>);
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
