//! Rows of made-up samples, whose figures are known; the maker serves the report's tests too.

use super::*;
use crate::lab::peers::{Gives, KNOWN};
use crate::lab::sample::Failure;

mod made_up;
use made_up::made_up_peer;
pub(crate) use made_up::{batch, made_up, peers};

fn row<'a>(rows: &'a [Row], workload: Workload, scheme: &str) -> &'a Row {
    let wanted = |row: &&Row| row.workload == workload && row.scheme == scheme && row.threads == 1;
    rows.iter().find(wanted).unwrap()
}

#[test]
fn a_row_is_the_median_of_its_rounds() {
    let mut run = made_up(3);
    run.samples
        .retain(|s| s.scheme != "rwlock" || s.workload != Workload::Hold);
    for (round, ns) in [
        (0, [4.0, 1.0, 3.0]),
        (1, [9.0, 3.0, 3.0]),
        (2, [20.0, 2.0, 2.0]),
    ] {
        run.samples
            .push(batch(Workload::Hold, "rwlock", 1, round, ns));
        run.samples
            .push(batch(Workload::Hold, "rwlock", 2, round, ns));
    }
    let rows = rows(&run).unwrap();
    let figures = row(&rows, Workload::Hold, "rwlock").figures.unwrap();
    assert_eq!(figures.ratio.median, 3.0, "of 2, 3, 10");
    assert_eq!((figures.ratio.low, figures.ratio.high), (2.0, 10.0));
    assert_eq!(figures.diff.median, 6.0, "of 2, 6, 18");
    assert_eq!(figures.ns, 9.0);
    assert_eq!(figures.share, 6.0 / 9.0);
    assert_eq!(figures.rounds, 3);
}

#[test]
fn the_baseline_cannot_be_told_from_itself_and_a_dear_scheme_can() {
    let rows = rows(&made_up(20)).unwrap();
    for workload in Workload::ALL {
        let baseline = row(&rows, workload, BASELINE).figures.unwrap();
        assert_eq!(baseline.verdict, Verdict::Indistinguishable);
        let dear = row(&rows, workload, "std_rwlock").figures.unwrap();
        assert_eq!(dear.verdict, Verdict::Slower, "{workload:?}");
    }
}

#[test]
fn verdicts_by_interval_and_noise() {
    let interval = |low, high| Median {
        low,
        high,
        ..Median::default()
    };
    let noise = interval(-1.0, 2.0);
    for (low, high, verdict) in [
        (-5.0, 5.0, Verdict::Indistinguishable),
        (0.5, 1.9, Verdict::Indistinguishable),
        (0.5, 2.1, Verdict::Slower),
        (3.0, 4.0, Verdict::Slower),
        (-4.0, -3.0, Verdict::Faster),
        (-1.9, -0.1, Verdict::Indistinguishable),
    ] {
        assert_eq!(
            Verdict::of(&interval(low, high), Some(&noise)),
            verdict,
            "{low} {high}"
        );
    }
    assert_eq!(Verdict::of(&interval(0.1, 0.2), None), Verdict::Slower);
}

#[test]
fn a_scheme_without_rows_needs_a_reason() {
    let mut run = made_up(3);
    run.samples
        .retain(|s| s.scheme != "epoch" || s.workload != Workload::Nested);
    let error = rows(&run).unwrap_err().to_string();
    assert!(
        error.contains("epoch (nested, threads: 1), epoch (nested, threads: 2)"),
        "{error}"
    );
    for threads in [1, 2] {
        run.failures.push(Failure {
            workload: String::from("nested"),
            scheme: String::from("epoch"),
            threads,
            err: String::from("deadlocks"),
        });
    }
    let rows = rows(&run).unwrap();
    let failed = row(&rows, Workload::Nested, "epoch");
    assert_eq!(failed.err.as_deref(), Some("deadlocks"));
    let json = serde_json::to_value(failed).unwrap();
    for key in [
        "scheme",
        "workload",
        "threads",
        "ratio",
        "ratio_low",
        "ratio_high",
        "ns",
        "err",
    ] {
        assert!(json.get(key).is_some(), "{key}");
    }
    assert!(json.get("ratio").unwrap().is_null());
}

#[test]
fn a_peer_without_rows_needs_a_reason_too_and_an_optional_one_only_beside_others() {
    for peer in peers() {
        let mut run = made_up(1);
        run.samples
            .retain(|s| s.scheme != peer.name || s.workload != Workload::Hold);
        let error = rows(&run).unwrap_err().to_string();
        let wanted = format!("{} (hold, threads: 1)", peer.name);
        assert!(error.contains(&wanted), "{error}");
    }
    let optional: Vec<_> = KNOWN.iter().filter(|peer| peer.optional).collect();
    if let [first, .., last] = optional[..] {
        let mut run = made_up(1);
        made_up_peer(&mut run, first, 1);
        let error = rows(&run).unwrap_err().to_string();
        assert!(!error.contains(first.name), "{error}");
        for peer in &optional[1..] {
            made_up_peer(&mut run, peer, 1);
        }
        assert!(rows(&run).is_ok(), "{}", last.name);
    }
}

#[test]
fn a_run_from_before_a_peer_was_there_need_not_have_it() {
    for peer in peers().filter(|peer| peer.since > 1) {
        let mut run = made_up(1);
        run.samples.retain(|s| s.scheme != peer.name);
        run.suspends.retain(|s| s.scheme != peer.name);
        assert!(rows(&run).is_err(), "{}", peer.name);
        run.provenance.format = peer.since - 1;
        assert!(rows(&run).is_ok(), "{}", peer.name);
    }
}

#[test]
fn suspends_that_others_spoilt_and_stolen_time_are_complained_of() {
    let distrust = |run: &Run| -> Vec<String> {
        let complaints = distrust(run);
        complaints.iter().map(ToString::to_string).collect()
    };
    let quiet = made_up(20);
    let mut busy = quiet.clone();
    for sample in busy.suspends.iter_mut().filter(|s| s.sample % 5 == 0) {
        sample.lost = 0.5;
    }
    let lines = distrust(&busy);
    assert!(
        lines.len() == 1 && lines[0].starts_with("suspend, readers 1: other processes spoilt 2"),
        "{lines:?}"
    );
    busy.provenance.cores = 1;
    assert_eq!(distrust(&busy), [""; 0], "a description");
    let mut stolen = quiet;
    for (share, complaint) in [(0.01, None), (0.05, Some("other guests had the CPUs 5 %"))] {
        stolen.provenance.stolen = Some(share);
        let lines = distrust(&stolen);
        assert_eq!(lines.len(), usize::from(complaint.is_some()), "{lines:?}");
        assert!(
            lines
                .iter()
                .all(|line| line.contains(complaint.unwrap_or(line)))
        );
    }
    let verdict = noise::verdict(&super::distrust(&stolen)).unwrap_or_default();
    assert!(
        verdict.starts_with("this run is not to be trusted"),
        "{verdict}"
    );
}

#[test]
fn a_row_says_what_its_contender_gives() {
    let mut run = made_up(1);
    run.samples
        .push(batch(Workload::Hold, "a_stranger", 1, 0, [1.0, 1.0, 1.0]));
    let rows = rows(&run).unwrap();
    for (name, gives) in [
        (BASELINE, Some(Gives::Nothing)),
        ("percpu", Some(Gives::Hold)),
        ("crossbeam_epoch", Some(Gives::GracePeriod)),
        ("a_stranger", None),
    ] {
        assert_eq!(row(&rows, Workload::Hold, name).gives, gives, "{name}");
    }
    assert!(
        row(&rows, Workload::Hold, "seize")
            .label()
            .ends_with("(grace)")
    );
}

#[test]
fn a_restricted_run_needs_its_schemes_only() {
    let mut run = made_up(3);
    run.provenance.only = vec![String::from("rwlock")];
    run.samples.retain(|s| s.scheme == "rwlock");
    run.suspends.clear();
    run.failures.clear();
    assert_eq!(rows(&run).unwrap().len(), 2 * Workload::ALL.len());
    run.suspends = made_up(1).suspends;
    run.suspends.retain(|s| s.scheme != "rwlock");
    let error = rows(&run).unwrap_err().to_string();
    assert!(error.contains("rwlock (suspend)"), "{error}");
}

#[test]
fn a_noisy_run_says_so_and_a_quiet_or_crowded_one_does_not() {
    let distrust = |run: &Run| -> Vec<String> {
        let complaints = distrust(run);
        complaints.iter().map(ToString::to_string).collect()
    };
    let quiet = made_up(20);
    assert_eq!(distrust(&quiet), [""; 0]);
    let mut off = quiet.clone();
    let noisy = |s: &Sample| s.workload == Workload::Hold && s.threads == 2;
    for sample in off.samples.iter_mut().filter(|s| noisy(s)) {
        sample.raw_after_ns *= 1.1;
    }
    let lines = distrust(&off);
    assert_eq!(lines.len(), 1, "{lines:?}");
    let expected = "hold, threads 2: unprotected against itself is 0.9";
    assert!(lines[0].starts_with(expected), "{lines:?}");
    off.provenance.cores = 1;
    assert_eq!(
        distrust(&off),
        [""; 0],
        "two threads on one CPU are a description"
    );

    let mut busy = quiet;
    for sample in busy
        .samples
        .iter_mut()
        .filter(|s| noisy(s) && s.round % 5 == 0)
    {
        sample.lost = 0.5;
    }
    let lines = distrust(&busy);
    assert_eq!(
        lines,
        ["hold, threads 2: other processes spoilt 20 % of its batches"]
    );
    let text = crate::lab::table::grids(&rows(&busy).unwrap());
    let told = |grid: &&crate::lab::table::Grid| grid.text().contains("NOT TO BE TRUSTED");
    assert_eq!(text.iter().filter(told).count(), 1);
}

#[test]
fn rows_come_in_registry_order_and_strangers_last() {
    let mut run = made_up(2);
    for round in 0..2 {
        run.samples.push(batch(
            Workload::Hold,
            "a_stranger",
            1,
            round,
            [1.0, 1.0, 1.0],
        ));
    }
    let rows = rows(&run).unwrap();
    let hold: Vec<_> = rows
        .iter()
        .filter(|row| row.workload == Workload::Hold && row.threads == 1)
        .map(|row| row.scheme.as_str())
        .collect();
    let mut expected: Vec<_> = registered().iter().map(|scheme| scheme.name).collect();
    expected.extend(peers().map(|peer| peer.name));
    expected.push("a_stranger");
    assert_eq!(hold, expected);
}

#[test]
fn suspends_by_dwell_then_scheme() {
    let rows = suspends(&made_up(1));
    assert_eq!(rows.len(), 2 * (registered().len() + peers().count()));
    let first = rows.first().unwrap();
    assert_eq!(
        (first.dwell_us, first.n, first.scheme.as_str()),
        (0, 200, BASELINE)
    );
    assert!(first.exclusivity_ns.p90.is_some() && first.exclusivity_ns.p99.is_none());
}
