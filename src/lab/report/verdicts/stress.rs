//! `results/stress.csv`: the stress on the machine itself.

use super::{FAIL, Row};
use crate::lab::table::Grid;
use serde::Deserialize;

/// One scheme, or a scheme on a machine with something taken away.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Stress {
    pub(crate) scheme: String,
    pub(crate) readers: u32,
    pub(crate) holds: u64,
    pub(crate) suspends: u64,
    pub(crate) waited: u64,
    pub(crate) torn: u64,
    pub(crate) stale: u64,
    pub(crate) seconds: f64,
    pub(crate) seed: u64,
    /// `pass`, `fail` or `unproved`.
    pub(crate) verdict: String,
    pub(crate) expected: String,
}

impl Row for Stress {
    const FILE: &'static str = "stress.csv";
    const COLUMNS: &'static [&'static str] = &[
        "scheme", "readers", "holds", "suspends", "waited", "torn", "stale", "seconds", "seed",
        "verdict", "expected",
    ];
    const CURE: &'static str =
        "make it with `cargo run -p loom-tests --release --features ptom/lab -- record stress`";
}

impl Stress {
    /// Whether something torn or stale was seen; `unproved` is not that.
    pub(crate) fn failed(&self) -> bool {
        self.verdict == FAIL
    }

    /// Whether it is not what was expected.
    pub(crate) fn surprises(&self) -> bool {
        self.verdict != self.expected
    }
}

/// One line a row.
pub(crate) fn grid(rows: &[Stress]) -> Grid {
    let columns = [
        "scheme, and what was taken away",
        "readers",
        "holds",
        "suspends",
        "waited",
        "torn",
        "stale",
        "verdict",
        "expected",
    ];
    let mut grid = Grid::new("", &columns);
    grid.words = vec![7, 8];
    grid.rows.extend(rows.iter().map(|row| {
        vec![
            row.scheme.clone(),
            row.readers.to_string(),
            row.holds.to_string(),
            row.suspends.to_string(),
            row.waited.to_string(),
            row.torn.to_string(),
            row.stale.to_string(),
            row.verdict.clone(),
            row.expected.clone(),
        ]
    }));
    let surprises = rows.iter().filter(|row| row.surprises()).count();
    if surprises > 0 {
        grid.notes
            .push(format!("Rows that are not as expected: {surprises}"));
    }
    grid
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::tests::parse;
    use super::*;

    pub(crate) fn row(scheme: &str, verdicts: [&str; 2]) -> Stress {
        let [verdict, expected] = verdicts;
        let header = Stress::COLUMNS.join(",");
        let line = format!("{scheme},2,1000,10,30,0,0,1.5,1,{verdict},{expected}");
        let mut rows = parse(&format!("{header}\n{line}\n")).unwrap();
        rows.remove(0)
    }

    #[test]
    fn what_is_unproved_is_no_failure_but_a_surprise() {
        let row = row("std_rwlock", ["unproved", "pass"]);
        assert!(!row.failed() && row.surprises());
        assert_eq!(grid(&[row]).notes.len(), 1);
    }
}
