//! A scheduler that notes what another one chooses, and ends the run once something was found.

use super::encode;
use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};
use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// What was chosen in the latest schedule, and how much in all of them.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// Schedules begun.
    pub(super) schedules: u64,
    /// Choices of a thread, over all schedules.
    pub(super) steps: u64,
    seed: u64,
    /// Of the latest: a task's number, or `None` where a random number was drawn.
    choices: Vec<Option<usize>>,
}

impl Log {
    /// The latest schedule, in shuttle's replayable form.
    pub(super) fn encoded(&self) -> String {
        encode::schedule(self.seed, &self.choices)
    }
}

/// The scheduler `S`, watched.
#[derive(Debug)]
pub(super) struct Recorder<S> {
    /// Never dropped: shuttle's random scheduler would then report a failure on the terminal when it
    /// was stopped early. It owns a few kilobytes at most.
    inner: ManuallyDrop<S>,
    log: Rc<RefCell<Log>>,
    found: Arc<AtomicBool>,
}

impl<S: Scheduler> Recorder<S> {
    /// Watches `inner`; when `found` is set, no further schedule begins.
    pub(super) fn new(inner: S, log: Rc<RefCell<Log>>, found: Arc<AtomicBool>) -> Self {
        Self {
            inner: ManuallyDrop::new(inner),
            log,
            found,
        }
    }
}

impl<S: Scheduler> Scheduler for Recorder<S> {
    fn new_execution(&mut self) -> Option<Schedule> {
        if self.found.load(Relaxed) {
            return None;
        }
        let schedule = self.inner.new_execution()?;
        let mut log = self.log.borrow_mut();
        log.schedules += 1;
        log.seed = schedule.seed;
        log.choices.clear();
        Some(schedule)
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        let next = self.inner.next_task(runnable, current, is_yielding)?;
        let mut log = self.log.borrow_mut();
        log.steps += 1;
        log.choices.push(Some(next.into()));
        Some(next)
    }

    fn next_u64(&mut self) -> u64 {
        self.log.borrow_mut().choices.push(None);
        self.inner.next_u64()
    }
}
