//! A run as it is read back: everything in it is of its type, or nothing is read.

use super::error::{RESTORE, ResultsError, shown};
use super::{
    ERRORS, FAILURE_COLUMNS, RUN, SAMPLE_COLUMNS, SAMPLE_LATER, SAMPLES, SUSPEND_COLUMNS,
    SUSPEND_LATER, SUSPENDS, strict, usable,
};
use crate::lab::provenance::{Kind, Provenance};
use crate::lab::sample::{Failure, Sample, SuspendSample};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A complete run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its folder.
    pub dir: PathBuf,
    /// How it came about.
    pub provenance: Provenance,
    /// Its batches.
    pub samples: Vec<Sample>,
    /// Its suspends.
    pub suspends: Vec<SuspendSample>,
    /// What could not be measured, and why.
    pub failures: Vec<Failure>,
}

impl Run {
    /// Reads the run in `dir`.
    ///
    /// # Errors
    /// One line that names the file and the line, if a file is missing, empty, cut off, has an
    /// unknown column, lacks one, or a field is not what it must be.
    pub fn read(dir: &Path) -> Result<Self, ResultsError> {
        let provenance = provenance(&dir.join(RUN))?;
        let samples = table(dir, SAMPLES, &SAMPLE_COLUMNS, &SAMPLE_LATER, usable)?;
        let suspends = table(dir, SUSPENDS, &SUSPEND_COLUMNS, &SUSPEND_LATER, |_| Ok(()))?;
        if samples.is_empty() && suspends.is_empty() {
            return Err(ResultsError::Malformed {
                path: shown(&dir.join(SAMPLES)),
                line: 2,
                problem: String::from("no sample follows the header"),
                cure: RESTORE,
            });
        }
        Ok(Self {
            dir: dir.to_owned(),
            provenance,
            samples,
            suspends,
            failures: table(dir, ERRORS, &FAILURE_COLUMNS, &[], |_| Ok(()))?,
        })
    }
}

fn provenance(path: &Path) -> Result<Provenance, ResultsError> {
    let text =
        fs::read_to_string(path).map_err(|cause| ResultsError::reading(path, cause, RESTORE))?;
    serde_json::from_str(&text).map_err(|error| ResultsError::Malformed {
        path: shown(path),
        line: error.line().max(1) as u64,
        problem: error.to_string().escape_debug().to_string(),
        cure: RESTORE,
    })
}

/// Reads one table, of which older runs lack the columns `later`, and checks each of its rows.
fn table<T: serde::de::DeserializeOwned>(
    dir: &Path,
    name: &str,
    columns: &[&str],
    later: &[&[&str]],
    check: impl Fn(&T) -> Result<(), String>,
) -> Result<Vec<T>, ResultsError> {
    let path = dir.join(name);
    let rows = strict::read_since(&path, columns, later, (RESTORE, RESTORE))?;
    let mut checked = Vec::with_capacity(rows.len());
    for (line, row) in rows {
        check(&row).map_err(|problem| ResultsError::Malformed {
            path: shown(&path),
            line,
            problem,
            cure: RESTORE,
        })?;
        checked.push(row);
    }
    Ok(checked)
}

/// The folder of the newest run of `kind` in `results`, by the time in its name; `None` if there is
/// none.
///
/// # Errors
/// If `results` is there and cannot be read.
pub fn newest(results: &Path, kind: Kind) -> Result<Option<PathBuf>, ResultsError> {
    let unreadable = |cause| ResultsError::Read {
        path: shown(results),
        cause,
    };
    let entries = match fs::read_dir(results) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mut best: Option<((String, u32), PathBuf)> = None;
    for entry in entries {
        let entry = entry.map_err(unreadable)?;
        let Some(key) = age(&entry.file_name().to_string_lossy(), kind) else {
            continue;
        };
        if best.as_ref().is_none_or(|(newest, _)| key > *newest) {
            best = Some((key, entry.path()));
        }
    }
    Ok(best.map(|(_, path)| path))
}

/// The time and number in the name of a run of this kind.
fn age(name: &str, kind: Kind) -> Option<(String, u32)> {
    let (time, rest) = name.split_once('-')?;
    let shape = |(at, byte): (usize, u8)| match at {
        8 => byte == b'T',
        15 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    };
    if time.len() != 16 || !time.bytes().enumerate().all(shape) {
        return None;
    }
    let number = match rest.strip_prefix(kind.name())? {
        "" => 1,
        more => more.strip_prefix('-')?.parse().ok()?,
    };
    Some((time.to_owned(), number))
}
