//! What every check said: the verdict files beside the runs, each read once, strictly.
//!
//! Invariant: a file that is not there is "nothing is known", never "nothing was found".

pub(crate) mod agreement;
pub(crate) mod footprint;
pub(crate) mod instructions;
pub(crate) mod models;
pub(crate) mod orderings;
pub(crate) mod progress;
pub(crate) mod registration;
pub(crate) mod schedules;
pub(crate) mod snapshots;
pub(crate) mod stress;

use crate::lab::footprint::Footprint;
use crate::lab::instructions::Count;
use crate::lab::instructions::registration::Registration;
use crate::lab::store::{ResultsError, strict};
use models::Case;
use orderings::Weakening;
use progress::Progress;
use schedules::Schedules;
use serde::de::DeserializeOwned;
use snapshots::Snapshot;
use std::path::Path;
use stress::Stress;

/// A verdict that found nothing against the scheme.
pub(crate) const PASS: &str = "pass";
/// A verdict that found something.
pub(crate) const FAIL: &str = "fail";

/// A row of a verdict file.
pub(crate) trait Row: DeserializeOwned {
    /// The file's name in the results folder.
    const FILE: &'static str;
    /// Its columns.
    const COLUMNS: &'static [&'static str];
    /// What makes it.
    const CURE: &'static str;
}

/// The rows of a verdict file; `None` if it is not there.
///
/// # Errors
/// `Malformed` if it is not what it must be.
pub(crate) fn read<R: Row>(results: &Path) -> Result<Option<Vec<R>>, ResultsError> {
    let path = results.join(R::FILE);
    match strict::read(&path, R::COLUMNS, R::CURE, R::CURE) {
        Ok(rows) => Ok(Some(rows.into_iter().map(|(_, row)| row).collect())),
        Err(ResultsError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Every verdict there is.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    pub(crate) models: Option<Vec<Case>>,
    pub(crate) orderings: Option<Vec<Weakening>>,
    pub(crate) schedules: Option<Vec<Schedules>>,
    pub(crate) progress: Option<Vec<Progress>>,
    pub(crate) snapshots: Option<Vec<Snapshot>>,
    pub(crate) stress: Option<Vec<Stress>>,
    pub(crate) instructions: Option<Vec<Count>>,
    pub(crate) footprint: Option<Vec<Footprint>>,
    pub(crate) registration: Option<Vec<Registration>>,
}

impl Verdicts {
    /// Reads what there is.
    ///
    /// # Errors
    /// If a file is not what it must be.
    pub(crate) fn read(results: &Path) -> Result<Self, ResultsError> {
        Ok(Self {
            models: read(results)?,
            orderings: read(results)?,
            schedules: read(results)?,
            progress: read(results)?,
            snapshots: read(results)?,
            stress: read(results)?,
            instructions: read(results)?,
            footprint: read(results)?,
            registration: read(results)?,
        })
    }

    /// The files that are not there, each with what makes it; `results` is the folder as it is to be
    /// named.
    pub(crate) fn lacks(&self, results: &str) -> Vec<ResultsError> {
        let lacks = [
            lack(&self.models, results),
            lack(&self.orderings, results),
            lack(&self.schedules, results),
            lack(&self.progress, results),
            lack(&self.snapshots, results),
            lack(&self.stress, results),
            lack(&self.instructions, results),
            lack(&self.footprint, results),
            lack(&self.registration, results),
        ];
        lacks.into_iter().flatten().collect()
    }
}

fn lack<R: Row>(rows: &Option<Vec<R>>, results: &str) -> Option<ResultsError> {
    let missing = || ResultsError::Missing {
        path: format!("{results}/{}", R::FILE),
        cure: R::CURE,
    };
    rows.is_none().then(missing)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::fs;

    /// The rows that this text of a file has.
    pub(crate) fn parse<R: Row>(text: &str) -> Result<Vec<R>, String> {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(R::FILE), text).unwrap();
        let rows = read(dir.path()).map_err(|error| error.to_string())?;
        Ok(rows.unwrap())
    }

    #[test]
    fn a_file_that_is_not_there_is_named_with_what_makes_it() {
        let dir = tempfile::tempdir().unwrap();
        let verdicts = Verdicts::read(dir.path()).unwrap();
        let lacks: Vec<_> = verdicts
            .lacks("results")
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(lacks.len(), 9);
        for (line, file) in lacks.iter().zip(["models", "orderings", "schedules"]) {
            let begin = format!("results/{file}.csv: is missing: make it with `cargo run");
            assert!(line.starts_with(&begin), "{line}");
        }
    }

    #[test]
    fn a_file_of_another_shape_is_an_error() {
        for text in ["", "scheme\n", "scheme,model\na,b\n"] {
            assert!(parse::<Case>(text).is_err(), "{text:?}");
            assert!(parse::<Weakening>(text).is_err(), "{text:?}");
            assert!(parse::<Progress>(text).is_err(), "{text:?}");
        }
    }

    /// The files of this repository, as far as they are there.
    #[test]
    fn the_files_as_they_are_written() {
        let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
        let verdicts = Verdicts::read(&results).unwrap();
        assert!(verdicts.models.is_some_and(|rows| !rows.is_empty()));
        assert!(verdicts.progress.is_some_and(|rows| !rows.is_empty()));
        assert!(verdicts.schedules.is_some_and(|rows| !rows.is_empty()));
        assert!(verdicts.stress.is_some_and(|rows| !rows.is_empty()));
    }
}
