//! A scheduler that makes the choices of a given schedule, and notices when they are impossible.

use shuttle::scheduler::{DataSource, RandomDataSource, Schedule, Scheduler, Task, TaskId};
use std::cell::Cell;
use std::rc::Rc;
use std::vec::IntoIter;

/// The scheduler, of one execution.
#[derive(Debug)]
pub(super) struct Replayer {
    choices: IntoIter<Option<usize>>,
    data: RandomDataSource,
    begun: bool,
    /// A choice was impossible, or choices are left.
    strayed: Rc<Cell<bool>>,
}

impl Replayer {
    /// The choices, and whether they turned out to be another program's.
    pub(super) fn new(seed: u64, choices: Vec<Option<usize>>) -> (Self, Rc<Cell<bool>>) {
        let strayed = Rc::new(Cell::new(!choices.is_empty()));
        let replayer = Self {
            choices: choices.into_iter(),
            data: RandomDataSource::initialize(seed),
            begun: false,
            strayed: Rc::clone(&strayed),
        };
        (replayer, strayed)
    }

    fn next(&mut self) -> Option<Option<usize>> {
        let next = self.choices.next();
        self.strayed.set(next.is_none() || self.choices.len() > 0);
        next
    }
}

impl Scheduler for Replayer {
    fn new_execution(&mut self) -> Option<Schedule> {
        let first = !std::mem::replace(&mut self.begun, true);
        first.then(|| Schedule::new(self.data.reinitialize()))
    }

    fn next_task(&mut self, runnable: &[&Task], _: Option<TaskId>, _: bool) -> Option<TaskId> {
        let next = self.next().flatten().map(TaskId::from);
        let found = next.filter(|id| runnable.iter().any(|task| task.id() == *id));
        if found.is_none() {
            self.stray();
        }
        found
    }

    fn next_u64(&mut self) -> u64 {
        if self.next() != Some(None) {
            self.stray();
        }
        self.data.next_u64()
    }
}

impl Replayer {
    /// Nothing that follows can be right: no choice is left.
    fn stray(&mut self) {
        self.choices = Vec::new().into_iter();
        self.strayed.set(true);
    }
}
