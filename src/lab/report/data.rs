//! Everything the report is made of, read once.

use super::verdicts::{self, Verdicts};
use crate::lab::agreement::Compared;
use crate::lab::provenance::Kind;
use crate::lab::sample::Workload;
use crate::lab::store::{ResultsError, Run, newest, shown};
use crate::lab::summary::missing::SUSPEND;
use crate::lab::summary::{self, Registered, Row, SuspendRow, registered};
use std::fs;
use std::path::Path;

/// The newest comparison, and its rows.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) run: Run,
    pub(crate) rows: Vec<Row>,
    pub(crate) suspends: Vec<SuspendRow>,
    /// Its folder, as the report names it.
    pub(crate) folder: String,
}

/// What there is.
#[derive(Debug)]
pub(crate) struct Data {
    /// The results folder, as the report names it.
    pub(crate) results: String,
    pub(crate) registered: Vec<Registered>,
    pub(crate) measured: Option<Measured>,
    pub(crate) verdicts: Verdicts,
    /// What `ptom agree` kept, which needs a benchmark besides a comparison.
    pub(crate) agreement: Option<Vec<Compared>>,
}

impl Data {
    /// Reads what there is. No run and no verdicts are nothing wrong here.
    ///
    /// # Errors
    /// If a file is not what it must be, a row is missing, or the run leaves something out.
    pub(crate) fn read(results: &Path, report: &Path) -> Result<Self, ResultsError> {
        let named = named(results, report);
        let verdicts = Verdicts::read(results)?;
        let agreement = verdicts::read(results)?;
        let measured = match newest(results, Kind::Compare)? {
            Some(dir) => Some(measured(&dir, &named)?),
            None => None,
        };
        Ok(Self {
            results: named,
            registered: registered(),
            measured,
            verdicts,
            agreement,
        })
    }

    /// What lacks for a complete report.
    pub(crate) fn lacks(&self) -> Vec<ResultsError> {
        let mut lacks = Vec::new();
        if self.measured.is_none() {
            lacks.push(ResultsError::Missing {
                path: format!("{}/*-{}", self.results, Kind::Compare.name()),
                cure: "measure with `ptom compare`",
            });
        }
        lacks.extend(self.verdicts.lacks(&self.results));
        lacks
    }
}

fn measured(dir: &Path, results: &str) -> Result<Measured, ResultsError> {
    let run = Run::read(dir)?;
    if let Some(what) = left_out(&run) {
        let path = shown(dir);
        return Err(ResultsError::Restricted { path, what });
    }
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    Ok(Measured {
        rows: summary::rows(&run)?,
        suspends: summary::suspends(&run),
        folder: format!("{results}/{name}"),
        run,
    })
}

/// What a run does not even try to measure.
fn left_out(run: &Run) -> Option<String> {
    if !run.provenance.only.is_empty() {
        let only = run.provenance.only.join(", ");
        return Some(format!("all schemes but {}", only.escape_debug()));
    }
    let tried = |workload: &str| {
        run.samples.iter().any(|s| s.workload.name() == workload)
            || run.failures.iter().any(|f| f.workload == workload)
            || workload == SUSPEND && !run.suspends.is_empty()
    };
    let names = Workload::of_format(run.provenance.format)
        .iter()
        .map(|workload| workload.name());
    let missing: Vec<_> = names.chain([SUSPEND]).filter(|name| !tried(name)).collect();
    (!missing.is_empty()).then(|| missing.join(", "))
}

/// The results folder as seen from the report, so that links work and no path of the machine is
/// written down; outside the report's folder, its name.
fn named(results: &Path, report: &Path) -> String {
    let parent = match report.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let inside = match (fs::canonicalize(results), fs::canonicalize(parent)) {
        (Ok(results), Ok(parent)) => results.strip_prefix(parent).ok().map(Path::to_owned),
        _ => None,
    };
    let path = match inside {
        Some(inside) if !inside.as_os_str().is_empty() => inside,
        _ => results.file_name().unwrap_or(results.as_os_str()).into(),
    };
    shown(&path)
}
