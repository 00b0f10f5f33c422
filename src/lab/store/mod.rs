//! One run of measurements: a folder of raw rows that is complete or does not exist.
//!
//! ```text
//! results/20261124T131908Z-compare/   run.json samples.csv suspends.csv errors.csv
//! ```
//!
//! Invariant: rows go to a hidden folder beside the runs, which gets its name only when everything
//! is on disk. What a crash or Ctrl-C leaves there is never taken for a run, and the next
//! [`Store::create`] clears it away: a run under way keeps a lock on `.lock` in its folder.

mod error;
mod folder;
mod read;
pub(crate) mod strict;
#[cfg(test)]
mod tests;

pub use error::ResultsError;
pub(crate) use error::shown;
pub use read::{Run, newest};

use crate::lab::provenance::Provenance;
use crate::lab::sample::{Failure, Sample, SuspendSample};
use serde::Serialize;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Provenance of a run.
pub const RUN: &str = "run.json";
/// One [`Sample`] a line.
pub const SAMPLES: &str = "samples.csv";
/// One [`SuspendSample`] a line.
pub const SUSPENDS: &str = "suspends.csv";
/// One [`Failure`] a line.
pub const ERRORS: &str = "errors.csv";

/// How the hidden folder of a run under way begins.
const HIDDEN: &str = ".run-";
/// Locked for as long as its run is under way.
const LOCK: &str = ".lock";

/// Columns of [`SAMPLES`].
const SAMPLE_COLUMNS: [&str; 10] = [
    "workload",
    "scheme",
    "threads",
    "round",
    "ops",
    "ns",
    "raw_before_ns",
    "raw_after_ns",
    "holds_per_op",
    "lost",
];
/// Those of them that older runs lack.
const SAMPLE_LATER: [&[&str]; 1] = [&["lost"]];
/// Columns of [`SUSPENDS`].
const SUSPEND_COLUMNS: [&str; 13] = [
    "scheme",
    "readers",
    "dwell_us",
    "sample",
    "exclusivity_ns",
    "service_ns",
    "work_ns",
    "release_ns",
    "stall_ns",
    "hold_ns",
    "held_percent",
    "barrier_ns",
    "lost",
];
/// Those of them that older runs lack, together.
const SUSPEND_LATER: [&[&str]; 2] = [&["hold_ns", "held_percent", "barrier_ns"], &["lost"]];
/// Columns of [`ERRORS`].
const FAILURE_COLUMNS: [&str; 4] = ["workload", "scheme", "threads", "err"];

/// A CSV file being written.
type Rows = csv::Writer<File>;

/// A run being written. Dropped before [`finish`](Self::finish), it leaves nothing.
#[derive(Debug)]
#[must_use = "a run that is not finished is not kept"]
pub struct Store {
    /// Where the runs are.
    results: PathBuf,
    /// What the run will be called.
    name: String,
    /// The hidden folder.
    dir: TempDir,
    /// Keeps `.lock` locked.
    lock: File,
    samples: Rows,
    suspends: Rows,
    failures: Rows,
    /// Samples and suspends so far.
    measured: u64,
}

impl Store {
    /// Makes the hidden folder and its files, so that a folder that cannot be written is known
    /// before anything is measured. Makes `results` too, if need be.
    ///
    /// # Errors
    /// [`ResultsError::Unwritable`].
    pub fn create(results: &Path, provenance: &Provenance) -> Result<Self, ResultsError> {
        Self::open(results, provenance).map_err(|cause| ResultsError::Unwritable {
            path: shown(results),
            cause,
        })
    }

    fn open(results: &Path, provenance: &Provenance) -> io::Result<Self> {
        fs::create_dir_all(results)?;
        folder::clear_abandoned(results);
        let dir = tempfile::Builder::new()
            .prefix(HIDDEN)
            .permissions(Permissions::from_mode(0o755))
            .tempdir_in(results)?;
        let lock = File::create(dir.path().join(LOCK))?;
        lock.lock()?;
        tell(dir.path(), provenance)?;
        Ok(Self {
            results: results.to_owned(),
            name: provenance.run_name(),
            samples: rows(&dir.path().join(SAMPLES), &SAMPLE_COLUMNS)?,
            suspends: rows(&dir.path().join(SUSPENDS), &SUSPEND_COLUMNS)?,
            failures: rows(&dir.path().join(ERRORS), &FAILURE_COLUMNS)?,
            dir,
            lock,
            measured: 0,
        })
    }

    /// Writes `run.json` anew, with what the run has shown about itself.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn tell(&self, provenance: &Provenance) -> Result<(), ResultsError> {
        self::tell(self.dir.path(), provenance)
            .map_err(|cause| ResultsError::writing(&self.results.join(RUN), cause))
    }

    /// Adds a line to `samples.csv`.
    ///
    /// # Errors
    /// If it holds no usable time, or cannot be written.
    pub fn sample(&mut self, sample: &Sample) -> Result<(), ResultsError> {
        usable(sample).map_err(|problem| ResultsError::NotASample {
            scheme: sample.scheme.clone(),
            problem,
        })?;
        self.measured += 1;
        add(&mut self.samples, sample, &self.results, SAMPLES)
    }

    /// Adds a line to `suspends.csv`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn suspend(&mut self, sample: &SuspendSample) -> Result<(), ResultsError> {
        self.measured += 1;
        add(&mut self.suspends, sample, &self.results, SUSPENDS)
    }

    /// Adds a line to `errors.csv`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn failure(&mut self, failure: &Failure) -> Result<(), ResultsError> {
        add(&mut self.failures, failure, &self.results, ERRORS)
    }

    /// Puts everything on disk, gives the run its name, and returns its folder.
    ///
    /// # Errors
    /// If nothing was measured, or the disk refuses. Then no run is left.
    pub fn finish(self) -> Result<PathBuf, ResultsError> {
        if self.measured == 0 {
            return Err(ResultsError::Nothing {
                path: shown(&self.results),
            });
        }
        for (rows, name) in [
            (self.samples, SAMPLES),
            (self.suspends, SUSPENDS),
            (self.failures, ERRORS),
        ] {
            rows.into_inner()
                .map_err(csv::IntoInnerError::into_error)
                .and_then(|file| file.sync_all())
                .map_err(|cause| ResultsError::writing(&self.results.join(name), cause))?;
        }
        let path = folder::free(&self.results, &self.name);
        fs::remove_file(self.dir.path().join(LOCK))
            .and_then(|()| fs::rename(self.dir.path(), &path))
            .and_then(|()| File::open(&self.results)?.sync_all())
            .map_err(|cause| ResultsError::writing(&path, cause))?;
        let _ = self.dir.keep();
        drop(self.lock);
        Ok(path)
    }
}

fn tell(dir: &Path, provenance: &Provenance) -> io::Result<()> {
    let mut run = File::create(dir.join(RUN))?;
    serde_json::to_writer_pretty(&mut run, provenance)?;
    run.write_all(b"\n")?;
    run.sync_all()
}

/// A CSV file with its header, which an empty table needs too.
fn rows(path: &Path, columns: &[&str]) -> io::Result<Rows> {
    let mut rows = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(File::create(path)?);
    rows.write_record(columns)?;
    rows.flush()?;
    Ok(rows)
}

fn add<T: Serialize>(rows: &mut Rows, row: &T, dir: &Path, name: &str) -> Result<(), ResultsError> {
    rows.serialize(row)
        .map_err(|error| ResultsError::writing(&dir.join(name), error.into()))
}

/// Every time is a positive number: a ratio is made of them.
pub(crate) fn usable(sample: &Sample) -> Result<(), String> {
    for (name, ns) in [
        ("ns", sample.ns),
        ("raw_before_ns", sample.raw_before_ns),
        ("raw_after_ns", sample.raw_after_ns),
    ] {
        if !(ns.is_finite() && ns > 0.0) {
            return Err(format!("{name} is {ns}, which is no time"));
        }
    }
    match sample.holds_per_op {
        Some(holds) if !(holds.is_finite() && holds >= 0.0) => {
            Err(format!("holds_per_op is {holds}, which is no count"))
        }
        _ => Ok(()),
    }
}
