//! Who watches a run: takes its rows as they come, shows its progress, and may stop it.

use crate::lab::sample::{Failure, Sample, SuspendSample};
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// One result.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "row", rename_all = "snake_case")]
pub enum Row {
    /// A batch between two of the baseline.
    Sample(Sample),
    /// A suspend.
    Suspend(SuspendSample),
    /// Something that could not be measured.
    Failure(Failure),
}

/// Takes what a run produces. Called between batches, on the measuring thread: the faster, the
/// better.
pub trait Observer {
    /// A result.
    fn row(&mut self, row: Row);
    /// Something that whoever reads the figures should know; one line.
    fn note(&mut self, note: &str);
    /// What is being measured, and how much of [`Plan::expected`](super::plan::Plan::expected) it
    /// was since the last call.
    fn progress(&mut self, what: &str, spent: Duration);
    /// Whether to stop at the next batch.
    fn stopped(&self) -> bool;
}

/// Why a run ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// The observer asked.
    Stopped,
    /// A measuring thread is gone: a bug of ours or of a contender.
    Broken,
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Halt::Stopped => "interrupted",
            Halt::Broken => "a measuring thread died; the run is void",
        })
    }
}

impl std::error::Error for Halt {}
