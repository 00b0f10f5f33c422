//! `results/schedules.csv`: random schedules of the whole suspend protocol.

use super::{PASS, Row};
use crate::lab::table::Grid;
use serde::Deserialize;

/// One scheme on one kind of machine under one scheduler.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Schedules {
    pub(crate) scheme: String,
    pub(crate) world: String,
    pub(crate) vcpus: u32,
    pub(crate) scheduler: String,
    pub(crate) seed: u64,
    pub(crate) schedules: u64,
    pub(crate) steps: u64,
    #[serde(rename = "stale uses")]
    pub(crate) stale_uses: u64,
    pub(crate) verdict: String,
    pub(crate) expected: String,
    pub(crate) finding: String,
}

impl Row for Schedules {
    const FILE: &'static str = "schedules.csv";
    const COLUMNS: &'static [&'static str] = &[
        "scheme",
        "world",
        "vcpus",
        "scheduler",
        "seed",
        "schedules",
        "steps",
        "stale uses",
        "verdict",
        "expected",
        "finding",
    ];
    const CURE: &'static str =
        "make it with `cargo run -p loom-tests --release -- record schedules`";
}

impl Schedules {
    /// Whether nothing was found.
    pub(crate) fn passed(&self) -> bool {
        self.verdict == PASS
    }

    /// Whether it is not what was expected.
    pub(crate) fn surprises(&self) -> bool {
        self.verdict != self.expected
    }
}

/// One line a scheme.
pub(crate) fn grid(rows: &[Schedules]) -> Grid {
    let columns = [
        "scheme",
        "schedules",
        "choices of a thread",
        "stale uses",
        "verdict",
    ];
    let mut grid = Grid::new("", &columns);
    grid.words = vec![4];
    let mut schemes: Vec<&str> = rows.iter().map(|row| row.scheme.as_str()).collect();
    schemes.sort_by_key(|name| rows.iter().position(|row| row.scheme == *name));
    schemes.dedup();
    for scheme in schemes {
        let of: Vec<&Schedules> = rows.iter().filter(|row| row.scheme == scheme).collect();
        let sum = |get: fn(&Schedules) -> u64| of.iter().map(|row| get(row)).sum::<u64>();
        let latest = of.iter().filter(|row| !row.passed()).map(|r| r.schedules);
        let verdict = match latest.max() {
            None => PASS.to_owned(),
            Some(latest) => format!("caught, in schedule {latest} at the latest"),
        };
        grid.rows.push(vec![
            scheme.to_owned(),
            sum(|row| row.schedules).to_string(),
            sum(|row| row.steps).to_string(),
            sum(|row| row.stale_uses).to_string(),
            verdict,
        ]);
    }
    let mut schedulers: Vec<&str> = rows.iter().map(|row| row.scheduler.as_str()).collect();
    schedulers.sort_unstable();
    schedulers.dedup();
    let mut worlds: Vec<&str> = rows.iter().map(|row| row.world.as_str()).collect();
    worlds.sort_unstable();
    worlds.dedup();
    if let Some(vcpus) = rows.iter().map(|row| row.vcpus).max() {
        grid.notes.push(format!(
            "{vcpus} vCPUs; machines: {}; schedulers: {}",
            worlds.join(", "),
            schedulers.join(", ")
        ));
    }
    let surprises = rows.iter().filter(|row| row.surprises());
    grid.notes.extend(surprises.map(|row| {
        format!(
            "Surprise: {} ({}, {}): {}, expected {}. {}",
            row.scheme, row.world, row.scheduler, row.verdict, row.expected, row.finding
        )
    }));
    grid
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::tests::parse;
    use super::*;

    pub(crate) fn row(scheme: &str, verdicts: [&str; 2]) -> Schedules {
        let [verdict, expected] = verdicts;
        let header = Schedules::COLUMNS.join(",");
        let line = format!("{scheme},membarrier,8,random,1,10,900,2,{verdict},{expected},found");
        let mut rows = parse(&format!("{header}\n{line}\n")).unwrap();
        rows.remove(0)
    }

    #[test]
    fn a_scheme_has_one_line_and_a_surprise_is_named() {
        let rows = [
            row("percpu", ["pass"; 2]),
            row("unprotected", ["fail"; 2]),
            row("percpu", ["pass"; 2]),
        ];
        let grid_of = grid(&rows);
        assert_eq!(grid_of.rows[0], ["percpu", "20", "1800", "4", "pass"]);
        assert_eq!(grid_of.rows.len(), 2);
        assert!(grid_of.rows[1][4].starts_with("caught, in schedule 10"));
        assert_eq!(grid_of.notes.len(), 1);
        assert_eq!(grid(&[row("percpu", ["fail", "pass"])]).notes.len(), 2);
    }
}
