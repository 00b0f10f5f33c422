//! Rows of made-up samples, whose figures are known; the makers serve the report's tests too.

use super::*;
use crate::lab::peers::{Gives, KNOWN, Peer};
use crate::lab::provenance::{Kind, Provenance, Setup};
use crate::lab::sample::{Failure, SuspendSample};
use std::path::PathBuf;

/// A small deterministic spread around one.
fn wobble(round: u32, salt: u64) -> f64 {
    let seed = (u64::from(round) << 20 | salt).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (seed ^ seed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33;
    1.0 + (mixed % 1000) as f64 / 50_000.0 - 0.01
}

/// One batch that takes `ratio` times as long as a baseline of `raw` ns.
pub(crate) fn batch(
    workload: Workload,
    scheme: &str,
    threads: u32,
    round: u32,
    ns: [f64; 3],
) -> Sample {
    Sample {
        workload,
        scheme: scheme.to_owned(),
        threads,
        round,
        ops: 1000,
        ns: ns[0],
        raw_before_ns: ns[1],
        raw_after_ns: ns[2],
        holds_per_op: Some(1.0),
        lost: 0.0,
    }
}

/// The peers of a default build.
pub(crate) fn peers() -> impl Iterator<Item = &'static Peer> {
    KNOWN.iter().filter(|peer| !peer.optional)
}

/// A peer's rows: three times the baseline, or why there are none.
fn made_up_peer(run: &mut Run, peer: &Peer, rounds: u32) {
    for (workload, threads) in Workload::ALL.iter().flat_map(|w| [(*w, 1), (*w, 2)]) {
        if let Some(err) = peer.excuse(workload) {
            run.failures.push(Failure {
                workload: workload.name().to_owned(),
                scheme: peer.name.to_owned(),
                threads,
                err: err.to_owned(),
            });
            continue;
        }
        for round in 0..rounds {
            let ns = [1.2 * wobble(round, 7), 0.4, 0.4];
            let batch = batch(workload, peer.name, threads, round, ns);
            run.samples.push(batch);
        }
    }
    for (dwell_us, sample) in [(0, 0), (50, 0)] {
        run.suspends.push(SuspendSample {
            scheme: peer.name.to_owned(),
            readers: 1,
            dwell_us,
            sample,
            exclusivity_ns: 9_000,
            service_ns: 8_000,
            work_ns: u64::from(dwell_us) * 1000,
            release_ns: 700,
            stall_ns: 900,
            hold_ns: 0,
            held_percent: 100,
            barrier_ns: None,
        });
    }
}

/// A run of every workload with made-up figures: whatever a scheme costs, it grows with its place.
pub(crate) fn made_up(rounds: u32) -> Run {
    let mut run = Run {
        dir: PathBuf::from("results/20260102T030405Z-compare"),
        provenance: Provenance::gather(Kind::Compare, Setup::default()),
        samples: Vec::new(),
        suspends: Vec::new(),
        failures: Vec::new(),
    };
    run.provenance.cores = 2;
    for (at, scheme) in registered().iter().enumerate() {
        let salt = at as u64;
        for (workload, threads) in Workload::ALL.iter().flat_map(|w| [(*w, 1), (*w, 2)]) {
            let raw = if workload.ranks() { 0.4 } else { 90.0 };
            let cost = 0.4 * 1.8f64.powi(i32::try_from(at).unwrap()) * f64::from(threads) - 0.4;
            let cost = if at == 0 { 0.0 } else { cost };
            for round in 0..rounds {
                let ns = (raw + cost) * wobble(round, salt);
                let around = [
                    ns,
                    raw * wobble(round, salt + 50),
                    raw * wobble(round, salt + 90),
                ];
                run.samples
                    .push(batch(workload, scheme.name, threads, round, around));
            }
        }
        for (dwell_us, sample) in [0, 50].iter().flat_map(|d| (0..200).map(move |s| (*d, s))) {
            let ns =
                (40_000.0 / (at as f64 + 1.0) * wobble(sample, salt)) as u64 + u64::from(dwell_us);
            run.suspends.push(SuspendSample {
                scheme: scheme.name.to_owned(),
                readers: 1,
                dwell_us,
                sample,
                exclusivity_ns: ns + u64::from(sample % 20 / 19) * 90_000,
                service_ns: ns,
                work_ns: u64::from(dwell_us) * 1000,
                release_ns: 3 * ns,
                stall_ns: 5 * ns,
                hold_ns: 0,
                held_percent: 100,
                barrier_ns: (at % 2 == 0).then_some(ns / 2),
            });
        }
    }
    for peer in peers() {
        made_up_peer(&mut run, peer, rounds);
    }
    run
}

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
