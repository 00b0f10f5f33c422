//! A line a CPU, and the lines of those who cannot use theirs.
//!
//! | word | written by |
//! |---|---|
//! | `token` | who has the lock of the tokens |
//! | `entered`, `left` of the lines below `own` | [sections](super::section) of that CPU, without a lock |
//! | `entered`, `left` of the others | read-modify-writes of anybody |
//!
//! A hold adds one to one `entered` when it begins, and one to one `left` when it ends, on whatever line its
//! thread then uses. So what counts is the sum over all lines, and both only grow.

use crate::primitive::Padded;
use std::sync::atomic::{AtomicU64, Ordering::Acquire};

/// What is written on one CPU.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Not 0: who is on this CPU may begin a hold without asking.
    pub(super) token: AtomicU64,
    /// Holds that began here.
    pub(super) entered: AtomicU64,
    /// Holds that ended here.
    pub(super) left: AtomicU64,
}

/// All of them; the last one is nobody's own.
#[derive(Debug)]
pub(super) struct Lines {
    all: Box<[Padded<Line>]>,
    /// So many are written by sections.
    own: usize,
}

impl Lines {
    /// A line for each of so many CPUs, and one for whoever is on another, or has no sections. Without
    /// `sections` they are all for everybody.
    pub(super) fn new(cpus: usize, sections: bool) -> Self {
        Self {
            all: (0..=cpus).map(|_| Padded::default()).collect(),
            own: if sections { cpus } else { 0 },
        }
    }

    /// Those that sections write, by CPU.
    pub(super) fn own(&self) -> &[Padded<Line>] {
        &self.all[..self.own]
    }

    /// The line that the `n`th reader uses where its CPU has none.
    pub(super) fn shared(&self, n: usize) -> &Line {
        let shared = &self.all[self.own..];
        &shared[n % shared.len()].0
    }

    /// Holds that have begun and not ended, or more. 0 only if there was none at one instant of the call.
    ///
    /// All of `left` is read first: at the instant between, no fewer have left than we read, and no more
    /// have entered than we read then. If both sums are equal, all four are.
    pub(super) fn inside(&self) -> u64 {
        // ORDERING: Acquire pairs with the stores of a hold's end: whoever reads them sees all that the
        // hold did; and keeps the reads of `entered` behind those of `left`.
        let left = self.sum(|line| line.left.load(Acquire));
        let entered = self.sum(|line| line.entered.load(Acquire));
        entered.wrapping_sub(left)
    }

    fn sum(&self, word: impl Fn(&Line) -> u64) -> u64 {
        let words = self.all.iter().map(|line| word(&line.0));
        words.fold(0, u64::wrapping_add)
    }
}
