//! `report.md`: prose by hand, and between markers what the newest comparison and the checks say.
//!
//! ```text
//! results/RUN/{run.json,samples.csv,suspends.csv,errors.csv}   newest run of kind `compare`
//! results/{models,orderings,schedules,progress,snapshots,stress,instructions,footprint,registration}.csv
//!                                                          verdicts
//! results/agree.csv                                        whether `cargo bench` ranks alike, if that was asked
//!     -> report.md between its markers, results/plots/*.svg, and what README.md and docs/method.md quote
//! ```
//!
//! Invariant: the same files give the same bytes, so a committed report can be checked against
//! them; nothing outside the markers is ever changed.

mod about;
mod aims;
mod answer;
mod blocks;
mod claims;
mod data;
mod markers;
mod plot;
mod splice;
#[cfg(test)]
mod tests;
mod verdicts;
mod whole;

use crate::lab::store::{ResultsError, shown};
use data::Data;
use plot::Plot;
use splice::{Block, Extent};
use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The report of this repository, of which a new one is made: its prose is the same, and its
/// blocks are filled anew.
const TEMPLATE: &str = include_str!("../../../report.md");

/// What to do about markers that cannot be used.
const MARKERS: &str = "mend the markers, or remove the file and make it anew";

/// A way in which a report is not what its files give.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Difference {
    /// A block was edited, or its files changed.
    #[error("{path}:{line}: block {block} is not what its files give: run `ptom report`")]
    Block {
        /// The report.
        path: String,
        /// The first line that differs, from one.
        line: u64,
        /// The block.
        block: &'static str,
    },
    /// A plot is missing or not what the samples give.
    #[error("{path}: is not the plot that its files give: run `ptom report`")]
    Plot {
        /// The plot.
        path: String,
    },
    /// The report, or what it is made of, cannot be used.
    #[error(transparent)]
    Results(#[from] ResultsError),
}

/// Fills every block of `report` and writes the plots, from what is in `results`. Makes `report` if
/// it is not there. Returns the files that changed.
///
/// Without a comparison, or without verdicts, the blocks say so.
///
/// # Errors
/// If a file is not what it must be, a registered scheme has no row, the report's markers are
/// unbalanced, or something cannot be written. Then the report is as it was.
pub fn generate(results: &Path, report: &Path) -> Result<Vec<PathBuf>, ResultsError> {
    let present = match fs::read_to_string(report) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(cause) => return Err(ResultsError::reading(report, cause, MARKERS)),
    };
    let data = Data::read(results, report)?;
    let plots = plot::all(&data);
    let text = present.as_deref().unwrap_or(TEMPLATE);
    let filled = splice::fill(text, &blocks::all(&data, &plots), Extent::Whole)
        .map_err(|wrong| malformed(report, wrong))?;

    let mut changed = Vec::new();
    for plot in &plots {
        let path = results.join(plot.path());
        if fs::read_to_string(&path).ok().as_ref() != Some(&plot.svg) {
            write(&path, &plot.svg)?;
            changed.push(path);
        }
    }
    if present.as_ref() != Some(&filled) {
        write(report, &filled)?;
        changed.push(report.to_owned());
    }
    Ok(changed)
}

/// Compares `report` and the plots with what the files in `results` give.
///
/// # Errors
/// Every difference, one line each. That there is no comparison, or a file of verdicts is
/// missing, is one.
pub fn check(results: &Path, report: &Path) -> Result<(), Vec<Difference>> {
    let differences = compare(results, report).unwrap_or_else(|error| vec![error.into()]);
    match differences.is_empty() {
        true => Ok(()),
        false => Err(differences),
    }
}

fn compare(results: &Path, report: &Path) -> Result<Vec<Difference>, ResultsError> {
    let text = fs::read_to_string(report)
        .map_err(|cause| ResultsError::reading(report, cause, "make it with `ptom report`"))?;
    let data = Data::read(results, report)?;
    let plots = plot::all(&data);
    let mut differences: Vec<Difference> = data.lacks().into_iter().map(Into::into).collect();
    let blocks = edited(report, &text, &blocks::all(&data, &plots), Extent::Whole)?;
    differences.extend(blocks);
    differences.extend(plots.iter().filter_map(|plot| stale(results, plot)));
    Ok(differences)
}

/// Fills the blocks that `file` has, say the answer in a README, and leaves everything else in it
/// alone. Returns whether it changed. The plots are those of [`generate`].
///
/// # Errors
/// As [`generate`]; also if the file is not there.
pub fn generate_excerpt(results: &Path, file: &Path) -> Result<bool, ResultsError> {
    let (text, blocks) = excerpt(results, file)?;
    let filled = splice::fill(&text, &blocks, Extent::Excerpt).map_err(|w| malformed(file, w))?;
    if filled == text {
        return Ok(false);
    }
    write(file, &filled).map(|()| true)
}

/// Compares the blocks that `file` has with what the files in `results` give.
///
/// # Errors
/// Every difference, one line each.
pub fn check_excerpt(results: &Path, file: &Path) -> Result<(), Vec<Difference>> {
    let differences = excerpt(results, file)
        .and_then(|(text, blocks)| edited(file, &text, &blocks, Extent::Excerpt))
        .unwrap_or_else(|error| vec![error.into()]);
    match differences.is_empty() {
        true => Ok(()),
        false => Err(differences),
    }
}

fn excerpt(results: &Path, file: &Path) -> Result<(String, Vec<Block>), ResultsError> {
    let text = fs::read_to_string(file)
        .map_err(|cause| ResultsError::reading(file, cause, "restore it"))?;
    let data = Data::read(results, file)?;
    let plots = plot::all(&data);
    Ok((text, blocks::all(&data, &plots)))
}

/// The blocks of a file's text that are not what they must be.
fn edited(
    file: &Path,
    text: &str,
    blocks: &[Block],
    extent: Extent,
) -> Result<Vec<Difference>, ResultsError> {
    let edited = splice::differences(text, blocks, extent).map_err(|w| malformed(file, w))?;
    let path = shown(file);
    let difference = |(line, block)| Difference::Block {
        path: path.clone(),
        line,
        block,
    };
    Ok(edited.into_iter().map(difference).collect())
}

/// The difference of a plot that is not on disk as it should be.
fn stale(results: &Path, plot: &Plot) -> Option<Difference> {
    let path = results.join(plot.path());
    let same = fs::read_to_string(&path).is_ok_and(|svg| svg == plot.svg);
    (!same).then(|| Difference::Plot { path: shown(&path) })
}

fn malformed(report: &Path, (line, problem): markers::Wrong) -> ResultsError {
    ResultsError::Malformed {
        path: shown(report),
        line,
        problem,
        cure: MARKERS,
    }
}

/// The plot of a sweep over many pmaps; `None` without rows.
pub(in crate::lab) fn sweep_plot(rows: &[crate::lab::sweep::Row]) -> Option<String> {
    plot::sweep(rows)
}

/// Replaces a file as a whole, or leaves it as it was.
pub(in crate::lab) fn write(path: &Path, text: &str) -> Result<(), ResultsError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let replace = || {
        fs::create_dir_all(folder)?;
        let mut file = tempfile::Builder::new()
            .permissions(Permissions::from_mode(0o644))
            .tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path).map(drop).map_err(|error| error.error)
    };
    replace().map_err(|cause| ResultsError::writing(path, cause))
}
