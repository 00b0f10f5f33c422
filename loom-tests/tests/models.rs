//! Every model and every twin, explored anew and compared with `results/models.csv`.
//!
//! One test a model, so that all CPUs have work, and a scheme is found by its rows. The file follows
//! from the code: a row that differs means that the code has changed what loom explores.

use loom_tests::case::Case;
use loom_tests::{cases, explore, table};
use std::path::Path;

/// How to make the file agree, once every case does what is expected of it.
const REGENERATE: &str =
    "results/models.csv is stale; run: cargo run -p loom-tests --release --bin models";

/// Models that have a test of their own below; [`every_other_model`] runs the rest.
const NAMED: &[&str] = &[
    "cancelled",
    "departs",
    "exclusion",
    "freshness",
    "nested",
    "rivals",
    "snapshot",
    "translates",
    "twice",
];

/// Explores some cases; each must do what is expected of it, and have its row in the file.
fn explore(which: impl Fn(&Case) -> bool) {
    let program = Path::new(env!("CARGO_BIN_EXE_models"));
    let committed = table::read().expect(REGENERATE);
    let mut wrong = Vec::new();
    for case in cases::all().iter().filter(|case| which(case)) {
        let outcome = explore::in_child(program, case).expect("the models binary");
        let row = table::row(case, &outcome);
        if !case.expected.is_met_by(&outcome) {
            wrong.push(format!("{row:?}, but {:?} was expected", case.expected));
        } else if !committed.contains(&row) {
            wrong.push(format!("{row:?} is not in the file; {REGENERATE}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn explore_model(name: &str) {
    explore(|case| case.model == name);
}

#[test]
fn cancelled() {
    explore_model("cancelled");
}

#[test]
fn departs() {
    explore_model("departs");
}

#[test]
fn exclusion() {
    explore_model("exclusion");
}

#[test]
fn freshness() {
    explore_model("freshness");
}

#[test]
fn nested() {
    explore_model("nested");
}

#[test]
fn rivals() {
    explore_model("rivals");
}

#[test]
fn snapshot() {
    explore_model("snapshot");
}

#[test]
fn translates() {
    explore_model("translates");
}

#[test]
fn twice() {
    explore_model("twice");
}

#[test]
fn every_other_model() {
    explore(|case| !NAMED.contains(&case.model));
}

#[test]
fn the_file_has_the_rows_of_all_cases_and_no_others() {
    let file: Vec<String> = table::read()
        .expect(REGENERATE)
        .iter()
        .map(|row| row[..3].join("/"))
        .collect();
    let cases: Vec<String> = cases::all().iter().map(Case::key).collect();
    assert_eq!(file, cases, "{REGENERATE}");
}
