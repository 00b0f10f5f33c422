//! The observer behind a terminal: a bar on standard error, silent in a pipe; keeps every row.

use super::output::complain;
use super::signal::Stop;
use crate::lab::measure::observe::{Observer, Row};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::time::Duration;

/// What came of a run.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) rows: Vec<Row>,
    /// What was said meanwhile, each once.
    pub(super) notes: Vec<String>,
}

/// Collects a run.
#[derive(Debug)]
pub(super) struct Collector {
    rows: Vec<Row>,
    notes: Vec<String>,
    bar: ProgressBar,
    stop: Stop,
}

impl Collector {
    /// For a run of about that length.
    pub(super) fn new(expected: Duration, stop: Stop) -> Self {
        let target = if stderr().is_terminal() {
            ProgressDrawTarget::stderr_with_hz(5)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(expected.as_micros() as u64), target);
        if let Ok(style) =
            ProgressStyle::with_template("{msg:16} [{wide_bar}] {percent}% {eta} left")
        {
            bar.set_style(style.progress_chars("=> "));
        }
        Self {
            rows: Vec::new(),
            notes: Vec::new(),
            bar,
            stop,
        }
    }

    /// What came of it, and the bar is gone.
    pub(super) fn finish(self) -> Measured {
        self.bar.finish_and_clear();
        Measured {
            rows: self.rows,
            notes: self.notes,
        }
    }
}

impl Observer for Collector {
    fn row(&mut self, row: Row) {
        self.rows.push(row);
    }

    fn note(&mut self, note: &str) {
        if !self.notes.iter().any(|said| said == note) {
            self.notes.push(note.to_owned());
            self.bar.suspend(|| complain(note));
        }
    }

    fn progress(&mut self, what: &str, spent: Duration) {
        if self.bar.message() != what {
            self.bar.set_message(what.to_owned());
        }
        self.bar.inc(spent.as_micros() as u64);
    }

    fn stopped(&self) -> bool {
        self.stop.is_set()
    }
}
