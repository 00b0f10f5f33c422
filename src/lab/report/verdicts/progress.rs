//! `results/progress.csv`: who waits for whom, and for how many steps.

use super::{FAIL, Row};
use crate::lab::table::Grid;
use serde::Deserialize;

/// One property of one scheme on one machine.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Progress {
    pub(crate) scheme: String,
    pub(crate) world: String,
    pub(crate) property: Property,
    pub(crate) readers: u32,
    pub(crate) seed: u64,
    /// How many, or how many directed schedules.
    pub(crate) seeds: u64,
    #[serde(rename = "worst steps")]
    pub(crate) worst: Option<u64>,
    #[serde(rename = "median steps")]
    pub(crate) median: Option<u64>,
    pub(crate) bound: Option<u64>,
    pub(crate) verdict: String,
    pub(crate) expected: String,
    pub(crate) finding: String,
}

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Property {
    /// A suspender under endless, fresh, overlapping holds.
    SuspenderUnderHolds,
    /// Readers that wait, when suspends follow each other at once.
    ReaderAfterResume,
    /// Whether a hold that begins after the suspender asked waits.
    HoldAfterAsking,
    /// How many suspends overtake a waiting reader in schedules made to be bad for it.
    BackToBack,
}

/// What is expected where no scheme claims anything.
const UNCLAIMED: &str = "unclaimed";

impl Row for Progress {
    const FILE: &'static str = "progress.csv";
    const COLUMNS: &'static [&'static str] = &[
        "scheme",
        "world",
        "property",
        "readers",
        "seed",
        "seeds",
        "worst steps",
        "median steps",
        "bound",
        "verdict",
        "expected",
        "finding",
    ];
    const CURE: &'static str =
        "make it with `cargo run -p loom-tests --release -- record progress`";
}

impl Progress {
    /// Whether it was shown not to be so.
    pub(crate) fn failed(&self) -> bool {
        self.verdict == FAIL
    }

    /// Whether it is not what was expected.
    pub(crate) fn surprises(&self) -> bool {
        self.expected != UNCLAIMED && self.verdict != self.expected
    }
}

/// One line a scheme and machine.
pub(crate) fn grid(rows: &[Progress]) -> Grid {
    let columns = [
        "scheme",
        "machine",
        "suspender under endless holds, worst steps",
        "reader after resumes, worst steps",
        "a hold after the suspender asked",
        "suspends back to back, directed",
    ];
    let mut grid = Grid::new("", &columns);
    grid.words = vec![1, 4, 5];
    let mut places: Vec<(&str, &str)> = Vec::new();
    for row in rows {
        let place = (row.scheme.as_str(), row.world.as_str());
        if !places.contains(&place) {
            places.push(place);
        }
    }
    for (scheme, world) in places {
        let of = |property| {
            let here = move |row: &&Progress| {
                row.scheme == scheme && row.world == world && row.property == property
            };
            rows.iter().filter(here)
        };
        let worst = |property| {
            let steps: Option<Vec<u64>> = of(property).map(|row| row.worst).collect();
            let most = steps.and_then(|steps| steps.into_iter().max());
            most.map_or(String::from("unbounded"), |steps| steps.to_string())
        };
        let found = |property| {
            let texts: Vec<_> = of(property).map(|row| row.finding.clone()).collect();
            texts.join("; ")
        };
        grid.rows.push(vec![
            scheme.to_owned(),
            world.to_owned(),
            worst(Property::SuspenderUnderHolds),
            worst(Property::ReaderAfterResume),
            found(Property::HoldAfterAsking),
            found(Property::BackToBack),
        ]);
    }
    let bounds: Vec<u64> = rows.iter().filter_map(|row| row.bound).collect();
    if let (Some(bound), Some(seeds)) = (bounds.iter().max(), rows.iter().map(|r| r.seeds).max()) {
        grid.notes.push(format!(
            "Steps are choices of the scheduler; {seeds} seeds a number, {bound} steps allowed."
        ));
    }
    let surprises = rows.iter().filter(|row| row.surprises());
    grid.notes.extend(surprises.map(|row| {
        format!(
            "Surprise: {} ({}), {:?} with {} readers: {}, expected {}. {}",
            row.scheme,
            row.world,
            row.property,
            row.readers,
            row.verdict,
            row.expected,
            row.finding
        )
    }));
    grid
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::tests::parse;
    use super::*;

    /// A scheme's rows, with the verdicts on a hold after asking and on endless holds.
    pub(crate) fn rows(scheme: &str, asking: [&str; 2], holds: [&str; 2]) -> Vec<Progress> {
        let header = Progress::COLUMNS.join(",");
        let text = format!(
            "{header}\n\
            {scheme},membarrier,suspender_under_holds,2,1,200,117,92,20000,{},{},\n\
            {scheme},membarrier,hold_after_asking,2,1,1,,,,{},{},it waits\n\
            {scheme},membarrier,back_to_back,1,1,7,,,,fail,unclaimed,no bound\n",
            holds[0], holds[1], asking[0], asking[1]
        );
        parse(&text).unwrap()
    }

    #[test]
    fn a_line_has_the_worst_and_what_was_found() {
        let mut all = rows("percpu", ["pass"; 2], ["pass"; 2]);
        let grid_of = grid(&all);
        let cells = [
            "percpu",
            "membarrier",
            "117",
            "unbounded",
            "it waits",
            "no bound",
        ];
        // No row of a property has no worst: it must not look like zero.
        assert_eq!(grid_of.rows[0][2], cells[2]);
        assert_eq!(grid_of.rows[0][4..], cells[4..]);
        assert_eq!(grid_of.notes.len(), 1);
        all[1].verdict = String::from("fail");
        assert!(grid(&all).notes[1].starts_with("Surprise: percpu"));
    }
}
