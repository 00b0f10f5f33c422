//! Snapshots on the machine: under every scheme, what one returns is of one incarnation, however
//! often the domain is suspended meanwhile.

use ptom::backend::Native;
use ptom::pmap::Kernel;
use ptom::scheme::{Scheme, Visit, each_native};
use ptom::suspend::suspend;
use ptom::xen::{Config, Machine, Mode, Pfn};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;

/// Enough to catch a seqlock that does not look a second time, nearly always.
const SUSPENDS: u64 = 2_000;
/// For the control to be caught, however few CPUs there are.
const AT_MOST: u64 = 100_000;
const PAGES: u64 = 256;

struct All;

impl Visit<Native> for All {
    fn visit<S: Scheme<Native>>(&mut self) {
        let machine = Machine::<Native, S>::new(Config::new(PAGES, 2)).unwrap();
        let mut suspender = machine.vcpu().unwrap();
        let kernel = Kernel::boot(&suspender, 1).unwrap();
        let done = AtomicBool::new(false);
        let taken = AtomicU64::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                let vcpu = machine.vcpu().unwrap();
                while !done.load(Relaxed) {
                    // The whole P2M, so that a restore is likely to be in the middle of it.
                    let found = vcpu.snapshot(|snap| {
                        let there = |pfn: &u64| snap.mfn(Pfn(*pfn)).is_some();
                        (0..PAGES).filter(there).count() as u64
                    });
                    assert_eq!(found, PAGES, "{}", S::NAME);
                    taken.fetch_add(1, Relaxed);
                }
            });
            let torn = || machine.guest().verdicts().torn_snapshots;
            let more = |n: &u64| *n < SUSPENDS || !S::CLAIMS.holds && *n < AT_MOST && torn() == 0;
            for _ in (0..).take_while(more) {
                // The reader is at work again: suspends without a pause would hold it up for ever.
                let before = taken.load(Relaxed);
                while taken.load(Relaxed) < before + 3 {
                    thread::yield_now();
                }
                let _ = suspend(&mut suspender, &kernel, Mode::Fresh).unwrap();
            }
            done.store(true, Relaxed);
        });
        let taken = taken.into_inner();
        let torn = machine.guest().verdicts().torn_snapshots;
        if S::CLAIMS.holds {
            assert_eq!(torn, 0, "{torn} of {taken} snapshots of {}", S::NAME);
        } else {
            assert!(torn > 0, "the control was not caught in {taken} snapshots");
        }
        println!("{}: {taken} snapshots, {torn} torn", S::NAME);
    }
}

#[test]
fn no_snapshot_is_torn() {
    each_native(&mut All);
}
