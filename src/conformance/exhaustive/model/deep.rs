//! Holds nested 257 deep, which wraps a counter of eight bits (Solaris's `t_xpvcntr`).
//!
//! They end in the order in which they began. A counter that wraps takes the lock a second time, and
//! waits for the suspender, who waits for the first.

use super::Model;
use crate::backend::Backend;
use crate::conformance::exhaustive::stage::play;
use crate::conformance::verdict::Expected;
use crate::scheme::{Reader, Scheme, Translate};

/// Holds between the first two and the last two.
const BETWEEN: usize = 253;

pub(super) fn model<B: Backend, S: Scheme<B>>() -> Model {
    Model {
        readers: if S::CLAIMS.nests { &[1] } else { &[] },
        // Where a hold within another is more than a count, an execution is thousands of operations.
        bound: Some(2),
        ..Model::of::<B, S>("deep", body::<B, S>, Expected::RACE)
    }
}

fn body<B: Backend, S: Scheme<B>>(readers: usize) {
    play::<B, S>(
        readers,
        |stage, reader| {
            let mut holds = vec![reader.hold(), reader.hold()];
            // Nothing new can happen there, and each operation would be a place to be preempted at.
            loom::stop_exploring();
            holds.extend((0..BETWEEN).map(|_| reader.hold()));
            loom::explore();
            holds.extend([reader.hold(), reader.hold()]);
            stage.payload.read();
            let last = holds.pop();
            loom::stop_exploring();
            drop(holds);
            loom::explore();
            drop(last);
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
