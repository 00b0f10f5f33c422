//! A few suspends: the stamps are in order, whoever excludes, and a lone CPU is refused.

use super::*;
use crate::lab::measure::contender::{BASELINE, Selection, on_table};
use crate::lab::peers::{Gives, named};
use crate::lab::sample::Workload;

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

#[test]
fn every_scheme_has_its_suspends_or_a_reason() {
    let suspends = Suspends {
        samples: 12,
        period: Duration::from_micros(300),
        dwells: vec![Duration::ZERO, Duration::from_micros(50)],
        readers: 1,
    };
    let field = on_table(Workload::Hold, 2, &Selection::all());
    let mut rows = Rows(Vec::new());
    assert_eq!(
        run(&field, &suspends, &mut Shuffle::new(1), &mut rows),
        Ok(())
    );
    for runner in &field.runners {
        let mut samples = 0;
        let mut failures = 0;
        for row in &rows.0 {
            match row {
                Row::Suspend(row) if row.scheme == runner.name() => {
                    samples += 1;
                    assert!(row.exclusivity_ns >= row.service_ns);
                    assert!(row.work_ns >= u64::from(row.dwell_us) * 1_000);
                    // A reader that is kept out waits for the whole of the dwell.
                    let kept_out = row.stall_ns >= row.work_ns;
                    let keeps_none_out = row.scheme == BASELINE
                        || named(&row.scheme).is_some_and(|peer| peer.gives != Gives::Hold);
                    assert!(kept_out || keeps_none_out, "{row:?}");
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
