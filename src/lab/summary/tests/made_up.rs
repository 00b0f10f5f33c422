//! A run whose figures are made up: every scheme has its rows, and what each costs is known.

use crate::lab::peers::{KNOWN, Peer};
use crate::lab::provenance::{Kind, Provenance, Setup};
use crate::lab::sample::{Failure, SuspendSample};
use crate::lab::summary::*;
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
pub(super) fn made_up_peer(run: &mut Run, peer: &Peer, rounds: u32) {
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
            lost: 0.0,
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
            let cost = 0.4 * 1.6f64.powi(i32::try_from(at).unwrap()) * f64::from(threads) - 0.4;
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
                lost: 0.0,
            });
        }
    }
    for peer in peers() {
        made_up_peer(&mut run, peer, rounds);
    }
    run
}
