//! What can be wrong with results, each said in one line: the file, the line, what to do.
//!
//! Invariant: the text of an error never spans lines, whatever the files contain.

use std::io;
use std::path::Path;
use thiserror::Error;

/// Why results could not be written, read or reported.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ResultsError {
    /// The results folder, or the run's folder in it, cannot be made.
    #[error(
        "{path}: results cannot be written here ({cause}): choose a folder that you may write to"
    )]
    Unwritable {
        /// The folder.
        path: String,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// A file or folder cannot be written, while writing was possible before.
    #[error("{path}: cannot be written ({cause}): make room or mend the permissions, then repeat")]
    Write {
        /// The file.
        path: String,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// A file is not there.
    #[error("{path}: is missing: {cure}")]
    Missing {
        /// The file.
        path: String,
        /// What makes it.
        cure: &'static str,
    },
    /// A file or folder cannot be read.
    #[error("{path}: cannot be read ({cause})")]
    Read {
        /// The file.
        path: String,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// A file does not contain what it must.
    #[error("{path}:{line}: {problem}: {cure}")]
    Malformed {
        /// The file.
        path: String,
        /// The line, from one.
        line: u64,
        /// What is wrong there.
        problem: String,
        /// What to do about it.
        cure: &'static str,
    },
    /// A batch or a suspend without a usable time was to be written.
    #[error("a sample of {scheme} cannot be kept: {problem}")]
    NotASample {
        /// The contender.
        scheme: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Nothing was measured, so nothing was kept.
    #[error(
        "{path}: no run was kept, because nothing was measured: see what stopped each contender"
    )]
    Nothing {
        /// The results folder.
        path: String,
    },
    /// The newest comparison leaves something out, which a report must not.
    #[error("{path}: leaves out {what}: compare everything before making the report")]
    Restricted {
        /// The run.
        path: String,
        /// What it leaves out.
        what: String,
    },
    /// Contenders have neither samples nor a reason for having none.
    #[error("{path}: no rows for {rows}, and no line in errors.csv says why: measure again")]
    MissingRows {
        /// The run.
        path: String,
        /// Which rows: scheme, workload and threads.
        rows: String,
    },
}

/// What to do about a file of a run that was changed or cut.
pub(crate) const RESTORE: &str = "restore the file, or remove this run and measure again";

/// A path as an error shows it: on one line.
pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string().escape_debug().to_string()
}

impl ResultsError {
    /// An error of reading `path`; a file that is not there gets `cure`.
    pub(crate) fn reading(path: &Path, cause: io::Error, cure: &'static str) -> Self {
        let path = shown(path);
        match cause.kind() {
            io::ErrorKind::NotFound => Self::Missing { path, cure },
            _ => Self::Read { path, cause },
        }
    }

    /// An error of writing `path`.
    pub(crate) fn writing(path: &Path, cause: io::Error) -> Self {
        Self::Write {
            path: shown(path),
            cause,
        }
    }
}
