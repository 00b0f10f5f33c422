//! `models.csv`: what each case did, the same bytes whenever the code is the same.

use super::case::Case;
use super::verdict::{Expected, Outcome};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fs;
use std::io;
use std::path::Path;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}

impl Row {
    /// The row of a case.
    pub fn new(case: &Case, outcome: &Outcome) -> Self {
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
        }
    }

    /// The key of its case.
    pub fn key(&self) -> String {
        format!("{}/{}/{}", self.scheme, self.model, self.readers)
    }
}

/// Writes rows to a file.
///
/// # Errors
/// If it cannot be written.
pub(super) fn write<R: Serialize>(path: &Path, rows: &[R]) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    for row in rows {
        csv.serialize(row)?;
    }
    let bytes = csv.into_inner().map_err(|e| e.into_error())?;
    fs::create_dir_all(path.parent().expect("a file in a directory"))?;
    fs::write(path, bytes)
}

/// Reads a file's rows.
///
/// # Errors
/// If it cannot be read, or has other columns.
pub(super) fn read<R: DeserializeOwned>(path: &Path) -> io::Result<Vec<R>> {
    let mut csv = csv::Reader::from_path(path)?;
    let rows: Result<Vec<R>, csv::Error> = csv.deserialize().collect();
    Ok(rows?)
}
