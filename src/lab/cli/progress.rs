//! The observer behind a terminal: a bar on standard error, silent in a pipe; keeps every row.

use super::output::complain;
use super::signal::Stop;
use crate::lab::measure::observe::{Observer, Row};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::time::Duration;

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
        let bar = ProgressBar::with_draw_target(Some(expected.as_millis() as u64), target);
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

    /// The rows, and the bar is gone.
    pub(super) fn finish(self) -> Vec<Row> {
        self.bar.finish_and_clear();
        self.rows
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
        // Microseconds would be finer, but the bar is a hundred characters wide.
        self.bar.inc(spent.as_millis() as u64);
    }

    fn stopped(&self) -> bool {
        self.stop.is_set()
    }
}
