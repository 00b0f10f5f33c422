//! What became of a model, and what was expected of it.
//!
//! A failure counts as the expected one only if it is of the right kind **and** says the right
//! thing. An exploration that loom gave up ([`Kind::Truncated`]) is neither a pass nor any expected
//! failure; nor is a complaint of loom about itself.

use std::fmt;

/// Kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Two accesses to the payload, or to a word's birth, that nothing orders.
    Race,
    /// Every thread sleeps.
    Deadlock,
    /// An assertion of the model or of the scheme.
    Assertion,
    /// loom's branch limit: something spun. Nothing is known.
    Truncated,
    /// loom contradicted itself, or the process died. Nothing is known.
    Broken,
}

/// One failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its kind.
    pub kind: Kind,
    /// The first line of its message, with nothing in it that differs from run to run.
    pub message: String,
}

impl Failure {
    /// Sorts a panic by its message, and by the file that raised it.
    pub fn of_panic(message: &str, file: &str) -> Self {
        let first = message.lines().find(|line| !line.trim().is_empty());
        let first = first.unwrap_or("(no message)").trim();
        let (kind, message) = if first.starts_with("deadlock;") {
            // The list of threads that follows contains a counter of the process.
            (Kind::Deadlock, "every thread waits for ever")
        } else if first.starts_with("Causality violation") {
            (Kind::Race, first)
        } else if first.starts_with("Model exceeded maximum number of branches") {
            (Kind::Truncated, "maximum number of branches")
        } else if file.contains("/loom-") || file.contains("\\loom-") {
            (Kind::Broken, first)
        } else {
            (Kind::Assertion, first)
        };
        let message = message.to_owned();
        Self { kind, message }
    }
}

const KINDS: [(Kind, &str); 5] = [
    (Kind::Race, "race"),
    (Kind::Deadlock, "deadlock"),
    (Kind::Assertion, "assertion"),
    (Kind::Truncated, "truncated"),
    (Kind::Broken, "broken"),
];

impl Kind {
    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        KINDS.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// Whether something is known: the exploration found a fault, and did not merely give up.
    pub fn is_a_finding(self) -> bool {
        matches!(self, Kind::Race | Kind::Deadlock | Kind::Assertion)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = KINDS.iter().find(|row| row.0 == *self);
        f.write_str(row.expect("one of five").1)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

/// What a model did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Executions explored, the failing one included.
    pub executions: usize,
    /// The failure, if one was found.
    pub failure: Option<Failure>,
}

/// What a model must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Explore everything within its bound, and find nothing.
    Pass,
    /// Find a failure of this kind, whose message contains this.
    Fail(Kind, &'static str),
}

impl Expected {
    /// Nothing orders two accesses of the payload.
    pub const RACE: Self = Self::Fail(Kind::Race, "Concurrent");
    /// Every thread sleeps.
    pub const DEADLOCK: Self = Self::Fail(Kind::Deadlock, "every thread waits for ever");

    /// Whether the outcome is the expected one, for the expected reason.
    pub fn is_met_by(self, outcome: &Outcome) -> bool {
        match (self, &outcome.failure) {
            (Self::Pass, None) => true,
            (Self::Fail(kind, says), Some(failure)) => {
                failure.kind == kind && failure.message.contains(says)
            }
            _ => false,
        }
    }
}
