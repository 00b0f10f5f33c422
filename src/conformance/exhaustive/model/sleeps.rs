//! A reader that sleeps in its hold: the suspender waits until it has been woken and is done.
//!
//! Where that is not promised, the suspender does not wait.

use super::Model;
use crate::backend::{Atomic, Backend};
use crate::conformance::exhaustive::stage::play;
use crate::conformance::verdict::Expected;
use crate::scheme::{Reader, Scheme, Translate};
use std::sync::atomic::Ordering::Relaxed;

pub(super) fn model<B: Backend, S: Scheme<B>>() -> Model {
    let promised = S::CLAIMS.sleeps_in_hold || !S::CLAIMS.holds;
    Model {
        readers: if promised { &[1] } else { &[] },
        ..Model::of::<B, S>("sleeps", body::<B, S>, Expected::RACE)
    }
}

fn body<B: Backend, S: Scheme<B>>(readers: usize) {
    play::<B, S>(
        readers,
        |stage, reader| {
            let hold = reader.hold();
            while stage.signal.load(Relaxed) == 0 {
                B::wait(&stage.signal, 0);
            }
            stage.payload.read();
            drop(hold);
            reader
        },
        |stage, mut suspender| {
            stage.signal.store(1, Relaxed);
            B::wake_all(&stage.signal);
            let suspended = suspender.suspend();
            stage.payload.write(1);
            drop(suspended);
            suspender
        },
    );
}
