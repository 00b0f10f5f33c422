//! A fair scheduler: round robin, for a random number of steps each.
//!
//! A thread that can run does so within [`QUANTUM`] steps of each of the others. One that yields
//! gives its turn away: it polls for somebody else's progress.

use super::clock::Clock;
use fastrand::Rng;
use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};

/// Steps of one turn, at most.
pub(super) const QUANTUM: u32 = 16;

/// The scheduler, of as many executions as it has seeds.
#[derive(Debug)]
pub(super) struct Fair {
    clock: Clock,
    /// An execution is given up after so many steps.
    limit: u64,
    seed: u64,
    left: u64,
    rng: Rng,
    /// Steps left of this turn.
    turn: u32,
}

impl Fair {
    /// `seeds` executions, with `seed` and those after it.
    pub(super) fn new(clock: Clock, limit: u64, seed: u64, seeds: u64) -> Self {
        Self {
            clock,
            limit,
            seed,
            left: seeds,
            rng: Rng::with_seed(seed),
            turn: 0,
        }
    }

    /// The next task in the round, without counting a step.
    pub(super) fn next(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        let mut ids = runnable.iter().map(|task| task.id());
        if self.turn > 0 && !is_yielding && ids.clone().any(|id| Some(id) == current) {
            self.turn -= 1;
            return current;
        }
        self.turn = self.rng.u32(0..QUANTUM);
        let first = ids.clone().next();
        ids.find(|id| Some(*id) > current).or(first)
    }

    /// Counts a step; whether the execution goes on.
    pub(super) fn goes_on(&self) -> bool {
        self.clock.tick() <= self.limit
    }
}

impl Scheduler for Fair {
    fn new_execution(&mut self) -> Option<Schedule> {
        self.left = self.left.checked_sub(1)?;
        self.rng = Rng::with_seed(self.seed);
        self.turn = 0;
        self.clock.restart();
        let schedule = Schedule::new(self.seed);
        self.seed = self.seed.wrapping_add(1);
        Some(schedule)
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        if !self.goes_on() {
            return None;
        }
        self.next(runnable, current, is_yielding)
    }

    fn next_u64(&mut self) -> u64 {
        self.rng.u64(..)
    }
}
