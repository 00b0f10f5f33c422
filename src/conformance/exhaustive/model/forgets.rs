//! A reader that holds nothing, and does not come back until a suspend is over: it keeps nobody waiting.
//!
//! Where readers must reach quiescent points it forgets its own, and the suspender waits for ever: that is
//! what such a scheme costs.

use super::Model;
use crate::backend::{Atomic, Backend};
use crate::conformance::exhaustive::stage::play;
use crate::conformance::verdict::Expected;
use crate::scheme::{Reader, Scheme, Translate};
use std::sync::atomic::Ordering::Relaxed;

pub(super) fn model<B: Backend, S: Scheme<B>>() -> Model {
    let model = Model {
        readers: &[1],
        ..Model::of::<B, S>("forgets", body::<B, S>, Expected::RACE)
    };
    if !S::CLAIMS.needs_quiescence {
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
            drop(hold);
            while stage.signal.load(Relaxed) == 0 {
                B::wait(&stage.signal, 0);
            }
            reader
        },
        |stage, mut suspender| {
            let suspended = suspender.suspend();
            stage.payload.write(1);
            drop(suspended);
            stage.signal.store(1, Relaxed);
            B::wake_all(&stage.signal);
            suspender
        },
    );
}
