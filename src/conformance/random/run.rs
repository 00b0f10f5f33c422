//! Runs a body under a scheduler; what shuttle reports by a panic becomes a value.
//!
//! shuttle tells of a deadlock, of a schedule without end and of a task's panic by panicking itself,
//! having torn the execution down. The panic is caught here. What it prints on stderr meanwhile
//! cannot be helped: a caller that wants silence sets a panic hook before its first run.

use super::recorder::{Log, Recorder};
use crate::conformance::verdict::{Failure, Kind};
use shuttle::scheduler::Scheduler;
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};
use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Choices in one schedule; a suspend of the usual world takes some thousands. Reaching it means
/// that something spun for ever, or that the scheduler was unfair to somebody for as long.
const MAX_STEPS: usize = 400_000;

/// Bytes of a task's stack.
const STACK: usize = 0x2_0000;

/// What came of a run.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) schedules: u64,
    pub(super) steps: u64,
    /// What the last schedule panicked with.
    pub(super) panic: Option<Failure>,
    /// The last schedule.
    pub(super) last: String,
}

/// Runs `body` once a schedule, until the scheduler has no more, one panics, or `found` is set.
pub(super) fn run(
    scheduler: impl Scheduler + 'static,
    found: &Arc<AtomicBool>,
    body: impl Fn() + Send + Sync + 'static,
) -> Ran {
    let log = Rc::new(RefCell::new(Log::default()));
    let recorder = Recorder::new(scheduler, Rc::clone(&log), Arc::clone(found));
    let mut config = Config::new();
    config.stack_size = STACK;
    config.failure_persistence = FailurePersistence::None;
    config.max_steps = MaxSteps::FailAfter(MAX_STEPS);
    config.silence_warnings = true;
    let runner = Runner::new(recorder, config);
    let panic = catch_unwind(AssertUnwindSafe(|| runner.run(body))).err();
    let log = log.borrow();
    Ran {
        schedules: log.schedules,
        steps: log.steps,
        panic: panic.map(|payload| failure(&*payload)),
        last: log.encoded(),
    }
}

/// Sorts a panic by its message.
fn failure(payload: &(dyn Any + Send)) -> Failure {
    let message = match (
        payload.downcast_ref::<&str>(),
        payload.downcast_ref::<String>(),
    ) {
        (Some(text), _) => text,
        (_, Some(text)) => text.as_str(),
        _ => "(no message)",
    };
    let first = message.lines().next().unwrap_or("").trim();
    let (kind, message) = if first.starts_with("deadlock!") {
        // The list of tasks that follows says nothing that the schedule does not.
        (Kind::Deadlock, "every thread waits for ever")
    } else if first.starts_with("exceeded max_steps") {
        (Kind::Truncated, "maximum number of steps")
    } else if first.starts_with("no task was scheduled") {
        (Kind::Broken, first)
    } else {
        (Kind::Assertion, first)
    };
    Failure {
        kind,
        message: message.to_owned(),
    }
}
