//! A reader that also suspends if it need not wait, against another that does the same.
//!
//! Whoever is refused goes on; whoever is not has the payload to itself. (Where a scheme cannot try, all
//! are refused, and this says nothing.)

use super::Model;
use crate::backend::Backend;
use crate::conformance::exhaustive::stage::{Role, play};
use crate::conformance::verdict::Expected;
use crate::scheme::{Reader, Scheme, Translate};

pub(super) fn model<B: Backend, S: Scheme<B>>() -> Model {
    Model {
        readers: if S::CLAIMS.holds { &[1] } else { &[] },
        ..Model::of::<B, S>("tries", body::<B, S>, Expected::RACE)
    }
}

fn body<B: Backend, S: Scheme<B>>(readers: usize) {
    let tries: Role<B, S> = |stage, mut reader| {
        let hold = reader.hold();
        stage.payload.read();
        drop(hold);
        if let Some(suspended) = reader.try_suspend() {
            stage.payload.write(stage.payload.read() + 1);
            drop(suspended);
        }
        reader
    };
    play::<B, S>(readers, tries, tries);
}
