//! Each peer does the baseline's work, suspends in bounded time while others read, and does or does
//! not keep out whoever comes during a suspend: exactly what its row says.

use super::*;
use crate::lab::measure::contender::{BASELINE, Selection, on_table};
use crate::lab::measure::workload::{FAILED, ON_A_TABLE};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

const TABLE_SEED: u64 = 5;
/// Longer than any suspend on a machine as busy as it gets, and much longer than patience.
const BOUND: Duration = Duration::from_secs(60);
/// As long a reader that is kept out is watched.
const KEPT_OUT: Duration = Duration::from_millis(100);

/// A contender that no thread can outlive, even one that hangs.
fn contender(peer: &'static Peer, make: Make, threads: usize) -> &'static dyn Contender {
    let table = Arc::new(P2m::cycle(TABLE_SEED));
    let workload = match peer.excuse(Workload::Hold) {
        None => Workload::Hold,
        Some(_) => Workload::Snapshot,
    };
    Box::leak(make(
        peer,
        &Order {
            table: &table,
            threads,
            workload,
        },
    ))
}

/// Runs `test` on a thread of its own, and fails where it does not end in time.
fn bounded(peer: &'static Peer, test: impl FnOnce() + Send + 'static) {
    let (done, over) = channel();
    let thread = thread::spawn(move || {
        test();
        let _ = done.send(());
    });
    if over.recv_timeout(BOUND).is_err() {
        assert!(thread.is_finished(), "{}: no end", peer.name);
    }
    assert!(thread.join().is_ok(), "{}", peer.name);
}

#[test]
fn each_peer_has_the_baselines_checksum_or_an_excuse() {
    for workload in ON_A_TABLE {
        let field = on_table(workload, 2, &Selection::all());
        let mut checked = 0;
        for n in [1, 2, 1_023, 1_024, 2_500] {
            let baseline = field.runners.first().expect("the baseline");
            assert_eq!(baseline.name(), BASELINE);
            let expected = baseline.worker().unwrap().batch(n);
            assert_ne!(expected, FAILED);
            for runner in field.runners.iter().filter(|r| named(r.name()).is_some()) {
                let mut worker = runner.worker().unwrap();
                worker.suspend(&mut || ());
                for _ in 0..2 {
                    assert_eq!(worker.batch(n), expected, "{} {workload:?}", runner.name());
                }
                checked += 1;
            }
        }
        let excused = field.excused.iter();
        let excused = excused.filter(|(name, _)| named(name).is_some()).count();
        assert_eq!(checked / 5 + excused, built().count(), "{workload:?}");
    }
}

#[test]
fn a_suspend_ends_while_others_read() {
    const SUSPENDS: usize = 5;
    for (peer, make) in built() {
        let contender = contender(peer, make, 3);
        bounded(peer, move || {
            let ended = AtomicUsize::new(0);
            let stop = AtomicUsize::new(0);
            let batches = AtomicU64::new(0);
            let ready = std::sync::Barrier::new(3);
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        let mut worker = contender.worker().unwrap();
                        ready.wait();
                        while stop.load(SeqCst) == 0 {
                            assert_ne!(worker.batch(64), FAILED);
                            batches.fetch_add(1, SeqCst);
                        }
                    });
                }
                let mut worker = contender.worker().unwrap();
                ready.wait();
                for _ in 0..SUSPENDS {
                    worker.suspend(&mut || {
                        ended.fetch_add(1, SeqCst);
                    });
                }
                while batches.load(SeqCst) == 0 {
                    thread::yield_now();
                }
                stop.store(1, SeqCst);
            });
            assert_eq!(ended.into_inner(), SUSPENDS, "{} gave up", peer.name);
        });
    }
}

/// Whether a reader that comes during a suspend reads on. (Of a sequence it spins: who has read
/// already is the one that is not waited for.)
fn overtakes(peer: &Peer) -> bool {
    matches!(peer.gives, Gives::GracePeriod | Gives::Nothing)
}

/// Why most of them are no schemes: a reader that comes during a suspend reads on.
#[test]
fn who_comes_during_a_grace_period_reads_on_and_a_hold_keeps_it_out() {
    for (peer, make) in built() {
        let contender = contender(peer, make, 2);
        bounded(peer, move || {
            // 1: the reader may begin; 2: it has read.
            let stage = AtomicUsize::new(0);
            let ready = std::sync::Barrier::new(2);
            let mut overtaken = None;
            thread::scope(|scope| {
                scope.spawn(|| {
                    let mut worker = contender.worker().unwrap();
                    ready.wait();
                    let mut sum = 0u64;
                    while stage.load(SeqCst) == 0 {
                        sum = sum.wrapping_add(worker.batch(1));
                        thread::yield_now();
                    }
                    assert_ne!(sum.wrapping_add(worker.batch(64)), FAILED);
                    stage.store(2, SeqCst);
                });
                let mut worker = contender.worker().unwrap();
                ready.wait();
                let mut during = || {
                    stage.store(1, SeqCst);
                    let patience = if overtakes(peer) { BOUND } else { KEPT_OUT };
                    let start = Instant::now();
                    while stage.load(SeqCst) == 1 && start.elapsed() < patience {
                        thread::yield_now();
                    }
                    overtaken = Some(stage.load(SeqCst) == 2);
                };
                worker.suspend(&mut during);
                // Where it has given up, the reader must still go home.
                if stage.load(SeqCst) == 0 {
                    stage.store(1, SeqCst);
                }
            });
            assert_eq!(overtaken, Some(overtakes(peer)), "{}", peer.name);
        });
    }
}

#[test]
fn a_wait_that_has_no_end_is_given_up() {
    let start = Instant::now();
    assert!(!kit::wait(|| false));
    assert!(start.elapsed() >= kit::PATIENCE);
    assert!(kit::wait(|| true));
}
