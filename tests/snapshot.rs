//! Snapshots on the machine: under every scheme, what one returns is of one incarnation, however
//! often the domain is suspended meanwhile.

use ptom::backend::Native;
use ptom::pmap::Kernel;
use ptom::scheme::{Scheme, Visit, each_native};
use ptom::suspend::suspend;
use ptom::xen::{Config, Machine, Mode, Pfn};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

const SUSPENDS: u64 = 300;

struct All;

impl Visit<Native> for All {
    fn visit<S: Scheme<Native>>(&mut self) {
        let machine = Machine::<Native, S>::new(Config::small()).unwrap();
        let mut suspender = machine.vcpu().unwrap();
        let kernel = Kernel::boot(&suspender, 1).unwrap();
        let done = AtomicBool::new(false);
        let taken = thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let vcpu = machine.vcpu().unwrap();
                let mut taken = 0_u64;
                while !done.load(Relaxed) {
                    let (low, high) = vcpu.snapshot(|snap| {
                        let raw = |pfn| snap.mfn(Pfn(pfn)).map(|mfn| mfn.raw());
                        (raw(10), raw(200))
                    });
                    assert!(low.is_some() && low != high, "{}", S::NAME);
                    taken += 1;
                }
                taken
            });
            for _ in 0..SUSPENDS {
                let _ = suspend(&mut suspender, &kernel, Mode::Fresh).unwrap();
            }
            done.store(true, Relaxed);
            reader.join().unwrap()
        });
        let torn = machine.guest().verdicts().torn_snapshots;
        if S::CLAIMS.holds {
            assert_eq!(torn, 0, "{} of {taken} snapshots of {}", torn, S::NAME);
        }
        println!("{}: {taken} snapshots, {torn} torn", S::NAME);
    }
}

#[test]
fn no_snapshot_is_torn() {
    each_native(&mut All);
}
