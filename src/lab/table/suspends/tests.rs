//! What is said of survivors, of neighbours, and of what a row gives.

use super::*;
use crate::lab::peers::Gives;

/// A row with holds of so many nanoseconds.
fn row(scheme: &str, gives: Gives, hold_ns: u64, n: usize) -> SuspendRow {
    let times = Latency::of((1..=n as u64).map(|one| one * 1_000)).unwrap_or_default();
    SuspendRow {
        scheme: scheme.to_owned(),
        gives: Some(gives),
        readers: 1,
        hold_ns,
        held_percent: 50,
        dwell_us: 0,
        crowded: false,
        n,
        spoilt: 0.0,
        exclusivity_ns: times,
        service_ns: times,
        barrier_ns: None,
        drain_ns: None,
        release_ns: times,
        stall_ns: times,
    }
}

fn has(grid: &Grid, words: &str) -> bool {
    grid.notes.iter().any(|note| note.contains(words))
}

#[test]
fn a_median_of_survivors_says_so() {
    let rows = [
        row("a", Gives::Hold, 5_000, 200),
        row("b", Gives::GracePeriod, 5_000, 92),
    ];
    let grids = grids(&rows);
    let [median, most] = &grids[..] else {
        panic!("{} tables", grids.len());
    };
    assert_eq!(median.rows[0][1], "100");
    assert_eq!(median.rows[1], ["b (grace)", "46.0 (n 92)"]);
    assert_eq!(most.rows[1][1], "- (n 92)", "too few for it");
    for grid in [median, most] {
        assert!(has(grid, "survivors") && has(grid, "(grace)"));
    }
    let all = super::grids(&rows[..1]);
    assert!(!has(&all[0], "survivors") && !has(&all[0], "(grace)"));
}

#[test]
fn a_table_that_others_spoilt_says_so_and_one_of_the_scheduler_does_not() {
    for hold_ns in [0, 5_000] {
        let mut one = row("a", Gives::Hold, hold_ns, 200);
        let noisy =
            |row: &SuspendRow| has(&grids(std::slice::from_ref(row))[0], "NOT TO BE TRUSTED");
        assert!(!noisy(&one));
        one.spoilt = 0.5;
        assert!(noisy(&one));
        one.crowded = true;
        assert!(!noisy(&one));
    }
}

#[test]
fn a_hot_table_with_a_lesser_n_says_what_that_means() {
    let rows = [row("a", Gives::Hold, 0, 40), row("b", Gives::Hold, 0, 22)];
    assert!(has(&grids(&rows)[0], "starved"));
    assert!(!has(&grids(&rows[..1])[0], "starved"));
}
