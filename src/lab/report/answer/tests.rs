//! What the answer says of a run with a noisy table, by which table that is.

use super::super::data::Data;
use super::super::verdicts::Verdicts;
use super::*;
use crate::lab::store::Run;
use crate::lab::summary::registered;
use crate::lab::summary::tests::made_up;

/// The answer from a made-up run, in which the given tables are noisy.
fn answer(noisy: &[(Workload, u32)]) -> Vec<String> {
    let mut run: Run = made_up(20);
    for sample in &mut run.samples {
        if noisy.contains(&(sample.workload, sample.threads)) {
            sample.raw_after_ns *= 1.1;
        }
    }
    let measured = Measured {
        rows: summary::rows(&run).unwrap(),
        suspends: summary::suspends(&run),
        folder: String::from("results/made-up"),
        run,
    };
    let data = Data {
        results: String::from("results"),
        registered: registered(),
        measured: None,
        verdicts: Verdicts::default(),
        agreement: None,
    };
    lines(&data, &measured)
}

/// How many lines have these words.
fn said(lines: &[String], words: &str) -> usize {
    lines.iter().filter(|line| line.contains(words)).count()
}

#[test]
fn a_quiet_run_warns_of_nothing() {
    let lines = answer(&[]);
    assert_eq!(said(&lines, "trusted"), 0, "{lines:?}");
    assert!(lines[0].starts_with("The cheapest hold is"), "{lines:?}");
}

#[test]
fn noisy_side_tables_are_named_and_the_rest_stands() {
    let noisy = [(Workload::HoldFar, 1), (Workload::ReplayCargoBuild, 2)];
    let lines = answer(&noisy);
    let quiet = answer(&[]);
    let (last, rest) = lines.split_last().unwrap();
    assert_eq!(rest, quiet, "not another word changes");
    assert!(last.contains("hold_8mib, threads 1: unprotected"), "{last}");
    assert!(last.contains("replay_cargo_build, threads 2: "), "{last}");
    assert!(last.contains("the others are"), "{last}");
    assert_eq!(said(&lines, "Before all else"), 0);
}

#[test]
fn a_table_that_a_line_rests_on_is_marked_there_too() {
    let lines = answer(&[(Workload::Replay, 2)]);
    let marked = "In the replayed trace with 2 threads (a table not to be trusted), ";
    assert_eq!(said(&lines, marked), 1, "{lines:?}");
    assert_eq!(said(&answer(&[(Workload::Replay, 1)]), marked), 0);
}

#[test]
fn a_noisy_main_table_makes_the_whole_answer_untrusted() {
    for threads in [1, 2] {
        let noisy = [(Workload::Hold, threads), (Workload::HoldFar, 1)];
        let lines = answer(&noisy);
        let first = lines[0].as_str();
        assert!(
            first.starts_with("**Before all else: this run is not to be trusted"),
            "{first}"
        );
        assert!(
            first.contains(&format!("hold, threads {threads}: ")),
            "{first}"
        );
        assert!(first.contains("hold_8mib, threads 1: "), "{first}");
        assert_eq!(said(&lines, "the others are"), 0, "{lines:?}");
    }
}
