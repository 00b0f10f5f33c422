//! A short run of few schemes: who has rows, and who has not.

use super::*;
use crate::lab::measure::contender::{BASELINE, Selection, on_table};

#[derive(Default)]
struct Rows(Vec<Row>, Option<usize>);

impl Observer for Rows {
    fn row(&mut self, row: Row) {
        self.0.push(row);
    }
    fn note(&mut self, _: &str) {}
    fn progress(&mut self, _: &str, _: Duration) {}
    fn stopped(&self) -> bool {
        self.1.is_some_and(|after| self.0.len() >= after)
    }
}

fn pairing(workload: Workload, threads: usize) -> Pairing {
    Pairing {
        workload,
        threads,
        rounds: 2,
        batch: Duration::from_micros(200),
        raw: Duration::from_micros(100),
        least: Duration::ZERO,
        every: None,
    }
}

fn measured(workload: Workload, threads: usize, stop: Option<usize>) -> (Rows, Result<(), Halt>) {
    let wanted = Selection::only(vec!["percpu_asym".into(), "rwlock".into()]);
    let field = on_table(workload, threads, &wanted);
    let mut rows = Rows(Vec::new(), stop);
    let run = run(
        &field,
        &pairing(workload, threads),
        &mut Shuffle::new(1),
        &mut rows,
    );
    (rows, run)
}

#[test]
fn every_contender_has_a_sample_a_round() {
    for workload in [Workload::Hold, Workload::Dependent, Workload::Snapshot] {
        let (rows, run) = measured(workload, 2, None);
        assert_eq!(run, Ok(()));
        for scheme in [BASELINE, "percpu_asym", "rwlock"] {
            let of = |row: &&Row| matches!(row, Row::Sample(s) if s.scheme == scheme);
            assert_eq!(rows.0.iter().filter(of).count(), 2, "{workload:?} {scheme}");
        }
    }
}

#[test]
fn what_does_not_nest_has_a_row_that_says_so() {
    let (rows, run) = measured(Workload::Nested, 1, None);
    assert_eq!(run, Ok(()));
    let excused = |row: &Row| matches!(row, Row::Failure(f) if f.scheme == "rwlock");
    assert_eq!(rows.0.iter().filter(|row| excused(row)).count(), 1);
}

#[test]
fn every_workload_of_a_table_runs_and_agrees_with_the_baseline() {
    for workload in crate::lab::measure::workload::ON_A_TABLE {
        let (rows, run) = measured(workload, 1, None);
        assert_eq!(run, Ok(()));
        let of = |row: &&Row| matches!(row, Row::Sample(s) if s.scheme == "percpu_asym");
        assert_eq!(rows.0.iter().filter(of).count(), 2, "{workload:?}");
    }
}

#[test]
fn a_suspender_besides_disturbs_and_is_not_counted() {
    let field = on_table(
        Workload::HoldSuspended,
        2,
        &Selection::only(vec!["percpu".into()]),
    );
    let mut pairing = pairing(Workload::HoldSuspended, 1);
    pairing.every = Some(Duration::from_millis(2));
    pairing.batch = Duration::from_millis(10);
    let mut rows = Rows::default();
    assert_eq!(
        run(&field, &pairing, &mut Shuffle::new(1), &mut rows),
        Ok(())
    );
    let of = |row: &&Row| matches!(row, Row::Sample(s) if s.scheme == "percpu" && s.threads == 1);
    assert_eq!(rows.0.iter().filter(of).count(), 2);
}

#[test]
fn holds_are_counted() {
    let (rows, _) = measured(Workload::Hold, 1, None);
    let counts = rows.0.iter().filter_map(|row| match row {
        Row::Sample(sample) => sample.holds_per_op,
        _ => None,
    });
    assert!(counts.into_iter().all(|count| count == 1.0));
}

#[test]
fn a_stop_comes_at_the_next_batch() {
    let (rows, run) = measured(Workload::Hold, 2, Some(1));
    assert_eq!(run, Err(Halt::Stopped));
    assert_eq!(rows.0.len(), 1);
}
