//! A scripted scheduler: this thread until it cannot get on, then that one; then everybody, fairly.

use super::clock::Clock;
use super::fair::Fair;
use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A thread that has polled so often in one turn cannot get on.
const POLLS: u32 = 32;

/// How far the threads have come, as they say themselves.
#[derive(Clone, Debug, Default)]
pub(super) struct Mark(Arc<AtomicU64>);

impl Mark {
    /// Says so. No scheduling point: the turn ends at the speaker's next one.
    pub(super) fn reach(&self, mark: u64) {
        self.0.fetch_max(mark, Relaxed);
    }

    /// The highest so far.
    pub(super) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// One thread's turn: until it sleeps, has ended, polls in vain, the mark is reached, or its steps
/// are used up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    /// Its number: 0 is the thread that spawns the others, in order.
    task: usize,
    until: u64,
    steps: u32,
}

impl Turn {
    /// Until the mark is reached, at the latest.
    pub(super) fn until(task: usize, until: u64) -> Self {
        Self {
            task,
            until,
            steps: u32::MAX,
        }
    }

    /// So many steps at most.
    pub(super) fn steps(task: usize, steps: u32) -> Self {
        Self {
            steps,
            ..Self::stuck(task)
        }
    }

    /// Until it cannot get on.
    pub(super) fn stuck(task: usize) -> Self {
        Self::until(task, u64::MAX)
    }
}

/// The scheduler, of one execution.
#[derive(Debug)]
pub(super) struct Script {
    turns: Vec<Turn>,
    /// Which turn it is.
    at: usize,
    /// Polls in this turn.
    polls: u32,
    /// Steps of this turn.
    steps: u32,
    mark: Mark,
    then: Fair,
}

impl Script {
    /// The turns, and a fair end of at most `limit` steps.
    pub(super) fn new(turns: Vec<Turn>, mark: Mark, clock: Clock, limit: u64) -> Self {
        Self {
            turns,
            at: 0,
            polls: 0,
            steps: 0,
            mark,
            then: Fair::new(clock, limit, 0, 1),
        }
    }
}

impl Scheduler for Script {
    fn new_execution(&mut self) -> Option<Schedule> {
        self.then.new_execution()
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        if !self.then.goes_on() {
            return None;
        }
        self.polls += u32::from(is_yielding);
        while let Some(turn) = self.turns.get(self.at) {
            let task = TaskId::from(turn.task);
            let can_run = runnable.iter().any(|t| t.id() == task);
            let may_run = self.polls < POLLS && self.steps < turn.steps;
            if can_run && may_run && self.mark.get() < turn.until {
                self.steps += 1;
                return Some(task);
            }
            self.at += 1;
            (self.polls, self.steps) = (0, 0);
        }
        self.then.next(runnable, current, is_yielding)
    }

    fn next_u64(&mut self) -> u64 {
        self.then.next_u64()
    }
}
