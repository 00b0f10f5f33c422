//! `results/models.csv`: what the model checker found, case by case.

use crate::lab::store::{ResultsError, strict};
use crate::lab::table::Grid;
use serde::Deserialize;
use std::path::Path;

/// Its name in the results folder.
pub(crate) const MODELS: &str = "models.csv";

const COLUMNS: [&str; 9] = [
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

/// What makes the file.
pub(crate) const CURE: &str = "make it with `cargo run -p loom-tests --bin models`";

/// A verdict that found nothing against the scheme.
const PASS: &str = "pass";

/// As the file writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum Answer {
    #[serde(rename = "yes")]
    Yes,
    #[serde(rename = "no")]
    No,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Case {
    /// A scheme, a weakened twin of one, or a litmus test.
    pub(crate) scheme: String,
    pub(crate) model: String,
    pub(crate) readers: u32,
    /// How often a thread could be preempted; nothing: as often as it can be.
    pub(crate) bound: Option<u32>,
    pub(crate) executions: u64,
    /// Whether every execution was explored.
    pub(crate) complete: Answer,
    pub(crate) verdict: String,
    pub(crate) expected: String,
    /// What was found, if anything.
    pub(crate) finding: String,
}

impl Case {
    /// Whether nothing was found against the scheme.
    pub(crate) fn passed(&self) -> bool {
        self.verdict == PASS
    }

    /// Whether it is not what was expected.
    pub(crate) fn surprises(&self) -> bool {
        self.verdict != self.expected
    }
}

/// Reads the cases.
///
/// # Errors
/// [`ResultsError::Missing`] if the file is not there, `Malformed` if it is not what it must be.
pub(crate) fn read(results: &Path) -> Result<Vec<Case>, ResultsError> {
    let rows = strict::read(&results.join(MODELS), &COLUMNS, CURE, CURE)?;
    Ok(rows.into_iter().map(|(_, case)| case).collect())
}

/// One line a scheme, twin or litmus test, in the order of the file; surprises below.
pub(crate) fn grid(cases: &[Case]) -> Grid {
    let mut grid = Grid::new(
        "",
        &[
            "scheme or twin",
            "cases",
            "pass, as expected",
            "fail, as expected",
            "surprises",
            "complete",
            "executions",
        ],
    );
    let mut names: Vec<&str> = cases.iter().map(|case| case.scheme.as_str()).collect();
    names.dedup();
    let mut done: Vec<&str> = Vec::new();
    for name in names {
        if done.contains(&name) {
            continue;
        }
        done.push(name);
        let of: Vec<&Case> = cases.iter().filter(|case| case.scheme == name).collect();
        let count =
            |wanted: fn(&Case) -> bool| of.iter().filter(|case| wanted(case)).count().to_string();
        grid.rows.push(vec![
            name.to_owned(),
            of.len().to_string(),
            count(|case| case.passed() && !case.surprises()),
            count(|case| !case.passed() && !case.surprises()),
            count(Case::surprises),
            count(|case| case.complete == Answer::Yes),
            of.iter()
                .map(|case| case.executions)
                .sum::<u64>()
                .to_string(),
        ]);
    }
    for case in cases.iter().filter(|case| case.surprises()) {
        grid.notes.push(format!(
            "Surprise: {} in {} with {} readers: {}, expected {}. {}",
            case.scheme, case.model, case.readers, case.verdict, case.expected, case.finding
        ));
    }
    grid
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn case(scheme: &str, model: &str, bound: Option<u32>, verdicts: [&str; 2]) -> Case {
        Case {
            scheme: scheme.to_owned(),
            model: model.to_owned(),
            readers: 1,
            bound,
            executions: 100,
            complete: if bound.is_none() {
                Answer::Yes
            } else {
                Answer::No
            },
            verdict: verdicts[0].to_owned(),
            expected: verdicts[1].to_owned(),
            finding: String::new(),
        }
    }

    #[test]
    fn the_file_as_it_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let text = "scheme,model,readers,bound,executions,complete,verdict,expected,finding\n\
            rwlock,nested,1,,42,no,fail,fail,deadlock: every thread sleeps\n\
            rwlock,exclusion,2,3,1000,no,pass,pass,\n";
        std::fs::write(dir.path().join(MODELS), text).unwrap();
        let cases = read(dir.path()).unwrap();
        assert_eq!(
            cases.iter().map(|case| case.bound).collect::<Vec<_>>(),
            [None, Some(3)]
        );
        let grid = grid(&cases);
        assert_eq!(
            grid.rows,
            [["rwlock", "2", "1", "1", "0", "0", "1042"].map(str::to_owned)]
        );
        assert!(grid.notes.is_empty());
    }

    #[test]
    fn a_surprise_is_named() {
        let grid = grid(&[case("epoch", "exclusion", None, ["fail", "pass"])]);
        assert!(
            grid.notes
                .iter()
                .any(|note| note.contains("epoch in exclusion"))
        );
    }

    #[test]
    fn a_missing_file_says_what_makes_it() {
        let dir = tempfile::tempdir().unwrap();
        let error = read(dir.path()).unwrap_err().to_string();
        assert!(
            error.contains("models.csv: is missing: make it with"),
            "{error}"
        );
    }
}
