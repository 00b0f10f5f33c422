//! `models.csv`: what each case did; but for the seconds, the same bytes whenever the code is the same.

use super::case::Case;
use super::verdict::{Expected, Outcome};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

/// One row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The scheme, twin or litmus test.
    pub scheme: String,
    /// The model.
    pub model: String,
    /// Readers beside the suspenders.
    pub readers: usize,
    /// The bound on preemptions; nothing: none.
    pub bound: Option<usize>,
    /// Executions explored.
    pub executions: usize,
    /// `yes` when loom ran out of executions and no bound was set; it says nothing of what loom does
    /// not explore at all.
    pub complete: String,
    /// `pass` or `fail`.
    pub verdict: String,
    /// What it was to be.
    pub expected: String,
    /// The failure.
    pub finding: String,
    /// How long it took when it was recorded, to a tenth.
    pub seconds: f64,
}

impl Row {
    /// The row of a case.
    pub fn new(case: &Case, outcome: &Outcome, spent: Duration) -> Self {
        let passed = outcome.failure.is_none();
        let word = |pass: bool| if pass { "pass" } else { "fail" }.to_owned();
        let complete = passed && case.bound.is_none();
        Self {
            scheme: case.scheme.clone(),
            model: case.model.to_owned(),
            readers: case.readers,
            bound: case.bound,
            executions: outcome.executions,
            complete: if complete { "yes" } else { "no" }.to_owned(),
            verdict: word(passed),
            expected: word(case.expected == Expected::Pass),
            finding: outcome
                .failure
                .as_ref()
                .map_or(String::new(), |f| f.to_string()),
            seconds: (spent.as_secs_f64() * 10.0).round() / 10.0,
        }
    }

    /// Whether both say the same, however long it took.
    pub fn agrees(&self, other: &Self) -> bool {
        let seconds = self.seconds;
        *self
            == Self {
                seconds,
                ..other.clone()
            }
    }

    /// The key of its case.
    pub fn key(&self) -> String {
        format!("{}/{}/{}", self.scheme, self.model, self.readers)
    }
}

/// Rows as they come: to standard output at each [`flush`](Self::flush), and kept for the file.
pub(super) struct Sheet {
    csv: csv::Writer<Vec<u8>>,
    printed: usize,
}

impl Default for Sheet {
    fn default() -> Self {
        Self {
            csv: csv::Writer::from_writer(Vec::new()),
            printed: 0,
        }
    }
}

impl Sheet {
    /// The columns of rows that are no structs, whose fields have no names.
    pub(super) fn header(&mut self, columns: &[&str]) -> io::Result<()> {
        self.csv.write_record(columns)?;
        self.flush()
    }

    pub(super) fn row<R: Serialize>(&mut self, row: &R) -> io::Result<()> {
        Ok(self.csv.serialize(row)?)
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.csv.flush()?;
        let all = self.csv.get_ref();
        let mut out = io::stdout().lock();
        out.write_all(&all[self.printed..])?;
        self.printed = all.len();
        out.flush()
    }

    pub(super) fn write(self, path: &Path) -> io::Result<()> {
        let bytes = self.csv.into_inner().map_err(|e| e.into_error())?;
        fs::create_dir_all(path.parent().expect("a file in a directory"))?;
        fs::write(path, bytes)
    }
}

/// Reads a file's rows.
///
/// # Errors
/// If it cannot be read, or has other columns.
pub(super) fn read<R: DeserializeOwned>(path: &Path) -> io::Result<Vec<R>> {
    let mut csv = csv::Reader::from_reader(fs::File::open(path)?);
    let rows: Result<Vec<R>, csv::Error> = csv.deserialize().collect();
    Ok(rows?)
}
