//! Each aim is met by figures that meet it, and missed by figures that do not; what is not there is neither.

use super::*;
use crate::lab::measure::clocked::HEAVY_FENCE;
use crate::lab::provenance::{Kind, Provenance, Setup};
use crate::lab::store::Run;
use crate::lab::summary;
use crate::lab::summary::tests::batch;
use std::path::PathBuf;

/// Holds in unprotected reads that meet every aim.
const GOOD: [(Workload, &str, u32, f64); 17] = [
    (Workload::Hold, "unprotected", 1, 1.0),
    (Workload::Hold, "unprotected", 2, 1.0),
    (Workload::Hold, "percpu_asym", 1, 1.4),
    (Workload::Hold, "percpu_asym", 2, 1.5),
    (Workload::Nested, "percpu_asym", 1, 1.3),
    (Workload::Dependent, "percpu_asym", 1, 1.0),
    (Workload::Hold, "urcu_memb", 1, 4.3),
    (Workload::Hold, "std_rwlock", 1, 30.0),
    (Workload::Hold, "parking_lot_rwlock", 1, 30.0),
    (Workload::Hold, "std_rwlock", 2, 160.0),
    (Workload::Hold, "parking_lot_rwlock", 2, 160.0),
    (Workload::Hold, "percpu", 1, 12.5),
    (Workload::Hold, "percpu", 2, 12.5),
    (Workload::Hold, "one_xchg", 1, 12.0),
    (Workload::Hold, "one_xchg", 2, 12.0),
    (Workload::Hold, "urcu_bp", 1, 5.0),
    (Workload::Hold, "ck_brlock", 1, 12.5),
];

/// Suspends, microseconds, that do so, by readers.
const QUICK: [(&str, u32, u64); 8] = [
    ("percpu", 1, 1),
    ("percpu_asym", 1, 18),
    ("heavy_fence", 1, 10),
    ("percpu", 8, 20),
    ("percpu_asym", 8, 30),
    ("seize", 8, 4_000),
    ("urcu_bp", 8, 9_000),
    ("std_rwlock", 8, 1),
];

/// A run of good figures, but for one hold and one suspend.
fn measured(
    hold: Option<(Workload, &str, u32, f64)>,
    suspend: Option<(&str, u32, u64)>,
) -> Measured {
    let mut provenance = Provenance::gather(Kind::Compare, Setup::default());
    // No scheme must be there.
    provenance.only = vec![String::from("nobody")];
    provenance.cores = 2;
    let mut run = Run {
        dir: PathBuf::new(),
        provenance,
        samples: Vec::new(),
        suspends: Vec::new(),
        failures: Vec::new(),
    };
    let same = |a: &(Workload, &str, u32, f64), b: &(Workload, &str, u32, f64)| {
        (a.0, a.1, a.2) == (b.0, b.1, b.2)
    };
    let holds = GOOD
        .iter()
        .filter(|good| !hold.is_some_and(|one| same(&one, good)));
    for (workload, scheme, threads, ratio) in holds.copied().chain(hold) {
        for round in 0..20 {
            let ns = [ratio * 0.5, 0.5, 0.5];
            run.samples
                .push(batch(workload, scheme, threads, round, ns));
        }
    }
    let quick = QUICK
        .iter()
        .filter(|good| suspend.is_none_or(|one| (one.0, one.1) != (good.0, good.1)));
    for (scheme, readers, us) in quick.copied().chain(suspend) {
        for sample in 0..20 {
            run.suspends.push(SuspendSample {
                scheme: scheme.to_owned(),
                readers,
                dwell_us: 0,
                sample,
                exclusivity_ns: us * 1_000,
                service_ns: us * 1_000,
                work_ns: 0,
                release_ns: 0,
                stall_ns: 0,
                hold_ns: 0,
                held_percent: 100,
                barrier_ns: None,
                lost: 0.0,
            });
        }
    }
    Measured {
        rows: summary::rows(&run).unwrap(),
        suspends: summary::suspends(&run),
        folder: String::from("results/RUN-compare"),
        run,
    }
}

fn agreement(run: &str, benched: [f64; 2]) -> Vec<Compared> {
    [("a", 1.0), ("b", 2.0)]
        .iter()
        .zip(benched)
        .map(|((scheme, compared), benched)| Compared {
            run: run.to_owned(),
            commit: String::from("commit"),
            workload: Workload::Hold,
            scheme: (*scheme).to_owned(),
            compared: *compared,
            benched: Some(benched),
            doubt: String::new(),
        })
        .collect()
}

/// What came of each aim that is not met, as the table has it.
fn not_met(run: &Measured) -> Vec<Vec<String>> {
    let agrees = agreement("RUN-compare", [1.0, 2.0]);
    let rows = grid(run, Some(&agrees)).rows;
    assert_eq!(rows.len(), 19);
    rows.into_iter()
        .filter(|row| !row[3].starts_with(MET))
        .collect()
}

#[test]
fn good_figures_meet_every_aim() {
    assert_eq!(not_met(&measured(None, None)), [[""; 0]; 0]);
}

#[test]
fn each_aim_is_missed_by_a_figure_beyond_its_bound() {
    for (hold, words) in [
        ((Workload::Hold, "percpu_asym", 1, 1.61), "hold, 1 thread"),
        ((Workload::Hold, "percpu_asym", 2, 1.55), "2 threads by 1"),
        (
            (Workload::Nested, "percpu_asym", 1, 1.41),
            "nested by outermost",
        ),
        (
            (Workload::Nested, "percpu_asym", 1, 2.01),
            "nested, 1 thread",
        ),
        ((Workload::Dependent, "percpu_asym", 1, 1.04), "dependent"),
        (
            (Workload::Hold, "urcu_memb", 1, 4.1),
            "`urcu_memb`, 1 thread",
        ),
        (
            (Workload::Hold, "std_rwlock", 1, 27.0),
            "`std_rwlock`, 1 thread",
        ),
        (
            (Workload::Hold, "parking_lot_rwlock", 1, 27.0),
            "`parking_lot_rwlock`, 1",
        ),
        (
            (Workload::Hold, "std_rwlock", 2, 140.0),
            "`std_rwlock`, 2 threads",
        ),
        (
            (Workload::Hold, "parking_lot_rwlock", 2, 140.0),
            "`parking_lot_rwlock`, 2",
        ),
        (
            (Workload::Hold, "percpu", 1, 12.7),
            "(`one_xchg`), 1 thread",
        ),
        (
            (Workload::Hold, "percpu", 2, 12.7),
            "(`one_xchg`), 2 threads",
        ),
        (
            (Workload::Hold, "ck_brlock", 1, 12.4),
            "below `percpu`, 1 thread",
        ),
    ] {
        let missed = not_met(&measured(Some(hold), None));
        let this = missed.iter().find(|row| row[0].contains(words));
        let this = this.unwrap_or_else(|| panic!("{hold:?}: {missed:?}"));
        assert_eq!(this[3], MISSED, "{hold:?}");
    }
    for (suspend, words) in [
        (("percpu", 1, 3), "suspend of `percpu` against 1"),
        (("percpu_asym", 1, 21), "in bare heavy fences"),
        (("seize", 8, 1_999), "suspend of `percpu`: times shorter"),
        (
            ("urcu_bp", 8, 2_999),
            "suspend of `percpu_asym`: times shorter",
        ),
    ] {
        let missed = not_met(&measured(None, Some(suspend)));
        let this = missed.iter().find(|row| row[0].contains(words));
        let this = this.unwrap_or_else(|| panic!("{suspend:?}: {missed:?}"));
        assert!(this[3].starts_with(MISSED), "{suspend:?}");
        assert_eq!(this[3] == MISSED_CROWDED, suspend.1 == 8);
    }
}

#[test]
fn a_cheap_contender_without_a_locked_instruction_is_not_below() {
    let cheap = (Workload::Hold, "ck_brlock", 1, 11.0);
    assert_eq!(not_met(&measured(Some(cheap), None)), [[""; 0]; 0]);
}

#[test]
fn a_factor_that_nobody_can_reach_says_so() {
    let cheap = (Workload::Hold, "std_rwlock", 1, 9.1);
    let missed = not_met(&measured(Some(cheap), None));
    assert_eq!(missed.len(), 1);
    let ceiling = "out of reach here: 9.10 times, by a hold that costs nothing: `std_rwlock` takes 4.55 ns, the read alone 0.50 ns";
    assert_eq!(missed[0][4], ceiling);
    let dear = (Workload::Hold, "std_rwlock", 1, 25.0);
    let missed = not_met(&measured(Some(dear), None));
    assert!(
        missed[0][4].starts_with("25.0 times, by a hold"),
        "{missed:?}"
    );
}

#[test]
fn what_is_not_there_is_not_met() {
    let mut run = measured(None, None);
    run.rows.retain(|row| row.scheme == "unprotected");
    run.run.suspends.clear();
    let rows = grid(&run, None).rows;
    for row in rows {
        assert_eq!(row[3], UNKNOWN, "{row:?}");
    }
}

#[test]
fn an_agreement_is_of_this_run_and_without_a_pair_that_differs() {
    let run = measured(None, None);
    let came = |rows: &[Compared]| {
        let rows = grid(&run, Some(rows)).rows;
        rows.last().map(|row| row[3].clone())
    };
    assert_eq!(
        came(&agreement("RUN-compare", [1.0, 2.0])).as_deref(),
        Some(MET)
    );
    assert_eq!(
        came(&agreement("RUN-compare", [2.0, 1.0])).as_deref(),
        Some(MISSED)
    );
    assert_eq!(
        came(&agreement("ANOTHER", [1.0, 2.0])).as_deref(),
        Some(UNKNOWN)
    );
}

#[test]
fn who_waited_is_counted() {
    let note = grid(&measured(None, None), None).notes.concat();
    assert!(note.contains("`percpu` 0 of 20"), "{note}");
    assert!(note.contains("`seize` 20 of 20"), "{note}");
    let quick = measured(None, Some(("seize", 8, 90)));
    let note = grid(&quick, None).notes.concat();
    assert!(note.contains("`seize` 0 of 20"), "{note}");
    let mut bare = measured(None, None);
    bare.run.suspends.retain(|s| s.scheme != HEAVY_FENCE);
    assert!(grid(&bare, None).notes.is_empty());
}
