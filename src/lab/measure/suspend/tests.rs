//! A few suspends: the stamps are in order, whoever excludes; more readers than CPUs are measured, too;
//! a barrier is told where there is one; a starved suspend ends.

use super::*;
use crate::backend::{Backend, Native};
use crate::lab::measure::clocked::{HEAVY_FENCE, clock};
use crate::lab::measure::contender::{BASELINE, Contender, Selection, on_table};
use crate::lab::measure::site::Site;
use crate::lab::measure::watch::attend;
use crate::lab::peers::{Gives, named};
use crate::lab::sample::Workload;
use crate::scheme::Full;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;

struct Rows(Vec<Row>);

impl Observer for Rows {
    fn row(&mut self, row: Row) {
        self.0.push(row);
    }
    fn note(&mut self, _: &str) {}
    fn progress(&mut self, _: &str, _: Duration) {}
    fn stopped(&self) -> bool {
        false
    }
}

fn measured(field: &Field, readers: usize, conditions: Vec<Condition>) -> Vec<Row> {
    let suspends = Suspends {
        readers,
        period: Duration::from_micros(300),
        limit: Duration::from_secs(1),
        conditions,
    };
    let mut rows = Rows(Vec::new());
    let run = run(field, &suspends, &mut Shuffle::new(1), &mut rows);
    assert_eq!(run, Ok(()));
    rows.0
}

fn field(readers: usize, wanted: &Selection) -> Field {
    let mut field = on_table(Workload::Hold, readers + 1, wanted);
    clock(&mut field, readers + 1);
    field
}

fn few(samples: u32, rhythm: Rhythm, dwell: u64) -> Condition {
    Condition {
        samples,
        rhythm,
        dwell: Duration::from_micros(dwell),
    }
}

#[test]
fn every_scheme_has_its_suspends_or_a_reason() {
    let field = field(1, &Selection::all());
    let hot = Rhythm::HOT;
    let rows = measured(&field, 1, vec![few(12, hot, 0), few(12, hot, 50)]);
    for runner in &field.runners {
        let mut samples = 0;
        let mut failures = 0;
        for row in &rows {
            match row {
                Row::Suspend(row) if row.scheme == runner.name() => {
                    samples += 1;
                    assert!(row.exclusivity_ns >= row.service_ns);
                    assert!(row.work_ns >= u64::from(row.dwell_us) * 1_000);
                    // A reader that is kept out waits for the whole of the dwell.
                    let kept_out = row.stall_ns >= row.work_ns;
                    let excludes = ![BASELINE, HEAVY_FENCE].contains(&row.scheme.as_str())
                        && named(&row.scheme).is_none_or(|peer| peer.gives == Gives::Hold);
                    assert!(kept_out || !excludes, "{row:?}");
                    assert_eq!(row.barrier_ns.is_some(), runner.tells_barrier());
                }
                Row::Failure(row) if row.scheme == runner.name() => failures += 1,
                _ => {}
            }
        }
        assert!(
            samples == 24 || failures > 0,
            "{}: {samples}",
            runner.name()
        );
    }
}

#[test]
fn a_barrier_is_told_where_there_is_one() {
    let wanted = Selection::only(vec!["percpu".into(), "percpu_asym".into()]);
    for row in measured(&field(1, &wanted), 1, vec![few(10, Rhythm::HOT, 0)]) {
        let Row::Suspend(row) = row else { continue };
        let fences = ["percpu_asym", HEAVY_FENCE].contains(&row.scheme.as_str());
        let barrier = row.barrier_ns.expect("ours tell it");
        assert!(barrier <= row.service_ns);
        assert_eq!(barrier > 0, fences && Native::asymmetric(), "{row:?}");
    }
}

#[test]
fn readers_that_hold_and_pause_are_stopped_only_if_they_wait() {
    let hold = Duration::from_micros(20);
    let wanted = Selection::only(vec!["percpu".into()]);
    let rhythms = [1, 50, 100].map(|held| few(10, Rhythm { hold, held }, 200));
    let (mut waited, mut free) = (0, 0);
    for row in measured(&field(1, &wanted), 1, rhythms.to_vec()) {
        let Row::Suspend(row) = row else { continue };
        if row.scheme != "percpu" {
            continue;
        }
        assert_eq!(row.hold_ns, 20_000);
        match row.held_percent {
            // Within the dwell its hold ends, and it wants another.
            100 if row.stall_ns > 0 => waited += 1,
            // Its pause is far longer than the dwell.
            1 if row.stall_ns == 0 => free += 1,
            _ => {}
        }
    }
    assert!(waited >= 8 && free >= 5, "{waited} waited, {free} did not");
}

#[test]
fn more_readers_than_cpus_have_rows() {
    let readers = pinning::allowed().len().max(2);
    let wanted = Selection::only(vec!["percpu".into()]);
    let rows = measured(
        &field(readers, &wanted),
        readers,
        vec![few(3, Rhythm::HOT, 0)],
    );
    let of = |row: &&Row| matches!(row, Row::Suspend(s) if s.scheme == "percpu");
    assert_eq!(rows.iter().filter(of).count(), 3);
}

/// A lock whose suspender waits until a reader holds nothing for a whole millisecond.
struct Starving(AtomicU64);

struct Reads<'s>(&'s AtomicU64);

impl Contender for Starving {
    fn name(&self) -> &'static str {
        "starving"
    }
    fn worker(&self) -> Result<Box<dyn Worker + '_>, Full> {
        Ok(Box::new(Reads(&self.0)))
    }
    fn holds_per_op(&self) -> Option<f64> {
        None
    }
}

impl Site for Reads<'_> {
    fn with<R>(&self, pfn: u64, used: impl FnOnce(Option<u64>) -> R) -> R {
        self.0.fetch_add(1, SeqCst);
        used(Some(pfn))
    }
    fn held<R>(&self, inner: impl FnOnce() -> R) -> R {
        inner()
    }
    fn snapshot(&self, pfn: u64) -> Option<u64> {
        Some(pfn)
    }
    fn suspend(&mut self, during: &mut dyn FnMut()) {
        loop {
            let before = self.0.load(SeqCst);
            thread::sleep(Duration::from_millis(100));
            if self.0.load(SeqCst) == before {
                break;
            }
        }
        during();
    }
}

impl Worker for Reads<'_> {
    fn batch(&mut self, n: u64) -> u64 {
        n
    }
    fn suspend(&mut self, during: &mut dyn FnMut()) {
        Site::suspend(self, during);
    }
    fn attend(&mut self, watch: &Watch, reader: usize) {
        attend(self, watch, reader);
    }
}

#[test]
fn a_suspend_that_its_readers_starve_ends_and_is_counted() {
    let field = Field {
        runners: vec![Box::new(Starving(AtomicU64::new(0)))],
        ..Field::default()
    };
    let hold = Duration::from_micros(1);
    for rhythm in [Rhythm::HOT, Rhythm { hold, held: 100 }] {
        let rows = measured(&field, 1, vec![few(1, rhythm, 0)]);
        let [Row::Failure(row)] = rows.as_slice() else {
            panic!("{rows:?}");
        };
        assert!(row.err.starts_with("0 of 1 suspends"), "{}", row.err);
        assert!(row.err.contains("1 came only after"), "{}", row.err);
    }
}
