//! `results/models.csv`: what the model checker found, case by case.

use super::{PASS, Row};
use crate::lab::summary::Registered;
use crate::lab::table::Grid;
use serde::Deserialize;

/// The models with two suspenders; every other has one.
const TWO_SUSPENDERS: [&str; 2] = ["queued", "rivals"];

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
    /// How long it took where it was recorded; nothing here depends on it.
    #[serde(rename = "seconds")]
    pub(crate) _seconds: String,
}

impl Row for Case {
    const FILE: &'static str = "models.csv";
    const COLUMNS: &'static [&'static str] = &[
        "scheme",
        "model",
        "readers",
        "bound",
        "executions",
        "complete",
        "verdict",
        "expected",
        "finding",
        "seconds",
    ];
    const CURE: &'static str = "make it with `cargo run -p loom-tests --release -- record`";
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

    /// How many threads it has.
    pub(crate) fn threads(&self) -> u32 {
        let two = TWO_SUSPENDERS.contains(&self.model.as_str());
        self.readers + if two { 2 } else { 1 }
    }

    /// How far it was explored, or the kind of failure that was found.
    fn shown(&self) -> String {
        let mut text = match (self.passed(), self.complete, self.bound) {
            (false, ..) => {
                let kind = self.finding.split(':').next().unwrap_or_default();
                if kind.is_empty() { &self.verdict } else { kind }.to_owned()
            }
            (true, Answer::Yes, _) => String::from("all"),
            (true, Answer::No, Some(bound)) => bound.to_string(),
            (true, Answer::No, None) => String::from("?"),
        };
        if self.surprises() {
            text.push_str(" (surprise)");
        }
        text
    }
}

/// One line a model and number of readers, one column a scheme that has models.
pub(crate) fn matrix(registered: &[Registered], cases: &[Case]) -> Grid {
    let schemes: Vec<&str> = registered
        .iter()
        .filter(|scheme| scheme.modelled)
        .map(|scheme| scheme.name)
        .collect();
    let mut columns = vec!["model", "readers"];
    columns.extend(&schemes);
    let mut grid = Grid::new("", &columns);
    let own = || {
        cases
            .iter()
            .filter(|case| schemes.contains(&case.scheme.as_str()))
    };
    let mut lines: Vec<(&str, u32)> = own()
        .map(|case| (case.model.as_str(), case.readers))
        .collect();
    lines.sort_unstable();
    lines.dedup();
    for line in lines {
        let mut cells = vec![line.0.to_owned(), line.1.to_string()];
        for scheme in &schemes {
            let mut of = own().filter(|case| case.scheme == *scheme);
            let case = of.find(|case| (case.model.as_str(), case.readers) == line);
            cells.push(case.map_or(String::from("-"), Case::shown));
        }
        grid.rows.push(cells);
    }
    grid
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
    use super::super::tests::parse;
    use super::*;
    use crate::lab::summary::registered;

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
            _seconds: String::new(),
        }
    }

    #[test]
    fn the_file_as_it_is_written() {
        let text = "scheme,model,readers,bound,executions,complete,verdict,expected,finding,seconds\n\
            rwlock,nested,1,,42,no,fail,fail,deadlock: every thread waits for ever,0.1\n\
            rwlock,exclusion,2,3,1000,no,pass,pass,,0.1\n\
            rwlock,exclusion,1,,1000,yes,pass,pass,,0.1\n";
        let cases: Vec<Case> = parse(text).unwrap();
        let bounds: Vec<_> = cases.iter().map(|case| case.bound).collect();
        assert_eq!(bounds, [None, Some(3), None]);
        let grid = grid(&cases);
        let expected = ["rwlock", "3", "2", "1", "0", "1", "2042"];
        assert_eq!(grid.rows, [expected.map(str::to_owned)]);
        assert!(grid.notes.is_empty());
        let matrix = matrix(&registered(), &cases);
        let column = matrix.columns.iter().position(|name| name == "rwlock");
        let shown: Vec<_> = matrix
            .rows
            .iter()
            .map(|row| row[column.unwrap()].as_str())
            .collect();
        assert_eq!(shown, ["all", "3", "deadlock"]);
    }

    #[test]
    fn a_surprise_is_named() {
        let cases = [case("epoch", "exclusion", None, ["fail", "pass"])];
        let notes = grid(&cases).notes;
        assert!(notes.iter().any(|note| note.contains("epoch in exclusion")));
        let rows = matrix(&registered(), &cases).rows;
        assert!(rows.concat().contains(&String::from("fail (surprise)")));
    }

    #[test]
    fn two_suspenders_are_two_threads() {
        assert_eq!(case("epoch", "rivals", None, ["pass"; 2]).threads(), 3);
        assert_eq!(case("epoch", "nested", None, ["pass"; 2]).threads(), 2);
    }
}
