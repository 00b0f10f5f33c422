//! Snapshots on the machine: under every scheme, what one returns is of one incarnation, however
//! often the domain is suspended meanwhile.

use ptom::backend::Native;
use ptom::native::each_native;
use ptom::pmap::Kernel;
use ptom::scheme::{Scheme, Visit};
use ptom::suspend::suspend;
use ptom::xen::{Config, Machine, Mode, Pfn};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// Few: some library locks make a suspender wait for tens of milliseconds here, since the reader
/// holds again before it wakes.
const SUSPENDS: u64 = 20;
/// How long a snapshot's section takes.
const SECTION: Duration = Duration::from_micros(100);
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
                let mut vcpu = machine.vcpu().unwrap();
                while !done.load(Relaxed) {
                    // Long enough for a whole suspend to fit between the first look and the last.
                    let (first, last) = vcpu.snapshot(|snap| {
                        let raw = |pfn| snap.mfn(Pfn(pfn)).map(|mfn| mfn.raw());
                        let (first, begun) = (raw(0), Instant::now());
                        while begun.elapsed() < SECTION {
                            std::hint::spin_loop();
                        }
                        (first, raw(PAGES - 1))
                    });
                    assert!(first.is_some() && last.is_some(), "{}", S::NAME);
                    taken.fetch_add(1, Relaxed);
                    vcpu.quiescent();
                }
            });
            for _ in 0..SUSPENDS {
                // The reader is at work again: suspends without a pause would hold it up for ever.
                let before = taken.load(Relaxed);
                while taken.load(Relaxed) < before + 1 {
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
