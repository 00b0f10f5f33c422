//! `results/models.csv`: what each case did, the same bytes whenever the code is the same.

use crate::case::Case;
use crate::verdict::{Expected, Outcome};
use std::fs;
use std::io;
use std::path::PathBuf;

/// The columns.
const HEADER: [&str; 9] = [
    "scheme",
    "model",
    "readers",
    "bound",
    "executions",
    "complete",
    "verdict",
    "expected",
    "finding",
];

/// One row, as it stands in the file.
pub type Row = Vec<String>;

/// Where the file is.
pub fn path() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../results/models.csv"
    ))
}

/// The row of a case.
///
/// `complete` is `yes` when loom ran out of executions and no bound was set; it says nothing of
/// what loom does not explore at all (see [`crate::backend`]).
pub fn row(case: &Case, outcome: &Outcome) -> Row {
    let passed = outcome.failure.is_none();
    let complete = passed && case.bound.is_none();
    let verdict = |pass| if pass { "pass" } else { "fail" };
    vec![
        case.scheme.clone(),
        case.model.to_owned(),
        case.readers.to_string(),
        case.bound.map_or(String::new(), |b| b.to_string()),
        outcome.executions.to_string(),
        if complete { "yes" } else { "no" }.to_owned(),
        verdict(passed).to_owned(),
        verdict(case.expected == Expected::Pass).to_owned(),
        outcome
            .failure
            .as_ref()
            .map_or(String::new(), |f| f.to_string()),
    ]
}

/// Writes the file; the rows are in the order of [`cases::all`](crate::cases::all).
///
/// # Errors
/// If it cannot be written.
pub fn write(rows: &[Row]) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(HEADER)?;
    for row in rows {
        csv.write_record(row)?;
    }
    let bytes = csv.into_inner().map_err(|e| e.into_error())?;
    let path = path();
    fs::create_dir_all(path.parent().expect("a directory"))?;
    fs::write(path, bytes)
}

/// Reads the file's rows.
///
/// # Errors
/// If it cannot be read, or has other columns.
pub fn read() -> io::Result<Vec<Row>> {
    let mut csv = csv::Reader::from_path(path())?;
    if csv.headers()? != HEADER.as_slice() {
        return Err(io::Error::other("models.csv has other columns"));
    }
    let rows = csv
        .records()
        .map(|r| Ok(r?.iter().map(str::to_owned).collect()));
    rows.collect()
}
