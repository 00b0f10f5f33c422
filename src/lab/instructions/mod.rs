//! Instructions an operation, counted by valgrind: the one figure about speed that repeats exactly.
//!
//! Invariant: what is counted is the machine code that is measured. A program that links this crate
//! runs a [`Worker`] of the lab on a bare table, for so many operations and for twice as many, each
//! under valgrind; the difference is what the operations take, with their loop and nothing else. The
//! worker has suspended before, so that the compiler cannot know the gate to be open.
//!
//! | module | idea |
//! |---|---|
//! | [`tally`] | one program's instructions, and an operation's |
//! | [`gate`] | what may not be: more than recorded, or a hold that does nothing |
//! | [`registration`] | the same for registering a reader |
//!
//! Counts say nothing between schemes: a `lock`-prefixed instruction costs as much as thirty plain ones.
//! Within a scheme they notice a few instructions too many on any machine, however busy it is.
//!
//! [`Worker`]: super::measure::contender::Worker

pub mod gate;
pub mod registration;
pub mod tally;

use super::sample::Workload;
use serde::{Deserialize, Serialize};

/// What is counted.
pub const WORKLOADS: [Workload; 3] = [Workload::Hold, Workload::Nested, Workload::Dependent];

/// Operations of the shorter run; the longer one does twice as many.
pub const OPS: u64 = 10_000;

/// The file of the results folder.
pub const FILE: &str = "instructions.csv";

/// What makes the file.
pub const CURE: &str = "make it with `cargo bench --bench instructions -- record`";

/// One scheme in one workload: a line of `instructions.csv`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// The scheme.
    pub scheme: String,
    /// What an operation is; see [`Workload`].
    pub workload: Workload,
    /// Instructions an operation, its share of the loop included, to a hundredth.
    pub instructions: f64,
    /// What the machine code is for.
    pub target: String,
    /// What compiled it: `rustc -V`.
    pub compiler: String,
}

impl Count {
    /// The columns of the file, in its order.
    pub const COLUMNS: [&'static str; 5] =
        ["scheme", "workload", "instructions", "target", "compiler"];
}

impl gate::Counted for Count {
    fn key(&self) -> String {
        format!("{}/{}", self.workload.name(), self.scheme)
    }

    fn instructions(&self) -> f64 {
        self.instructions
    }

    fn made(&self) -> (&str, &str) {
        (&self.target, &self.compiler)
    }
}
