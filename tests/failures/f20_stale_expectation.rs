//! F20: a loop that compares entries with an expectation from another incarnation never ends.
//!
//! `pmap_page_remove` computes what an entry of the page must be once. On a mismatch it lets all locks
//! go, backs off, and starts over **with the same value**. A migration in the back-off, and the value
//! is met never again: the CPU spins in the kernel for ever, and nothing is ever refused or corrupted.
//! Each try is in a hold of its own, so the scheme under it is sound, and does not help.
//!
//! Absent where each try computes it anew ([`Kernel::page_remove`]), or where one hold spans the loop.

use crate::preempted::{Preempted, Suspender};
use ptom::backend::Native;
use ptom::pmap::{Kernel, PageCache, PmapId, Synced};
use ptom::scheme::Scheme;
use ptom::scheme::percpu::PerCpu;
use ptom::scheme::unprotected::Unprotected;
use ptom::suspend::suspend;
use ptom::xen::{Config, Machine, Mmu, Mode, Pfn, Va, Vcpu};
use std::thread;

type Sound = PerCpu<Native>;

const VA: Va = Va(0x40_0000);
/// Tries after which a loop is said never to end.
const ENDLESS: u32 = 10_000;

/// Two processes with one page between them.
struct Guest {
    kernel: Kernel<Native>,
    cache: PageCache,
    pmaps: [PmapId; 2],
    page: Pfn,
}

fn boot<S: Scheme<Native>>(cpu: &Vcpu<'_, Native, S>) -> Guest {
    let kernel = Kernel::boot(cpu, 4).unwrap();
    let mut cache = PageCache::default();
    let page = kernel.take_page(&mut cache).unwrap();
    let pmaps = [(); 2].map(|()| kernel.create(cpu, &mut cache).unwrap());
    for pmap in pmaps {
        kernel.enter(cpu, &mut cache, pmap, VA, page, true).unwrap();
    }
    Guest {
        kernel,
        cache,
        pmaps,
        page,
    }
}

/// The original's loop, with a suspend in the back-off before its first try. Returns how many tries it
/// took, if it ended; and how many processes still have the page.
fn removal(mode: Mode, anew: bool) -> (Option<u32>, usize) {
    let machine = Machine::<Native, Sound>::new(Config::new(256, 1)).unwrap();
    let mut cpu = machine.vcpu().unwrap();
    let mut guest = boot(&cpu);
    let (kernel, page) = (&guest.kernel, guest.page);
    let first = kernel.expected(cpu.hold().access(), page).unwrap();
    let _ = suspend(&mut cpu, kernel, mode).unwrap();
    let mut attempt = || {
        let hold = cpu.hold();
        let access = hold.access();
        let expected = match anew {
            true => kernel.expected(access, page).unwrap(),
            false => first,
        };
        kernel
            .page_remove_expecting(access, &mut guest.cache, page, expected)
            .unwrap()
    };
    let tries = (1..=ENDLESS).find(|_| attempt() == Synced::Done);
    let mapped = |pmap: &&PmapId| kernel.extract(&cpu, **pmap, VA) == Some(page);
    let left = guest.pmaps.iter().filter(mapped).count();
    // However it ends, nobody is told: no refusal, no stale use, nothing broken.
    assert!(machine.guest().verdicts().clean());
    assert_eq!(machine.guest().broken_invariants(), 0);
    assert_eq!(kernel.pv_disagreements(&cpu), 0);
    (tries, left)
}

const MOVED: [Mode; 2] = [Mode::Fresh, Mode::Deranged { seed: 5 }];

#[test]
fn the_same_expectation_is_met_never_again() {
    for mode in MOVED {
        assert_eq!(removal(mode, false), (None, 2), "{mode:?}");
    }
}

#[test]
fn a_new_one_is_met_at_once() {
    for mode in MOVED {
        assert_eq!(removal(mode, true), (Some(1), 0), "{mode:?}");
    }
}

#[test]
fn a_cancelled_suspend_leaves_it_true() {
    assert_eq!(removal(Mode::Cancelled, false), (Some(1), 0));
}

#[test]
fn page_remove_computes_it_in_each_try() {
    for mode in MOVED {
        let machine = Machine::<Native, Sound>::new(Config::new(256, 1)).unwrap();
        let mut cpu = machine.vcpu().unwrap();
        let mut guest = boot(&cpu);
        let _ = suspend(&mut cpu, &guest.kernel, mode).unwrap();
        let (kernel, page) = (&guest.kernel, guest.page);
        kernel.page_remove(&cpu, &mut guest.cache, page).unwrap();
        assert_eq!(kernel.mappings(page), []);
    }
}

/// Even with no scheme at all: what is overtaken between computing and comparing is only done again.
#[test]
fn page_remove_that_is_overtaken_tries_again_and_ends() {
    for mode in MOVED {
        let machine = Machine::<Native, Unprotected>::new(Config::new(256, 2)).unwrap();
        let cpu = machine.vcpu().unwrap();
        let mut guest = boot(&cpu);
        let (kernel, page) = (&guest.kernel, guest.page);
        thread::scope(|scope| {
            let suspender = Suspender::spawn(scope, machine.vcpu().unwrap(), kernel, mode);
            let meet = || {
                let _ = suspender.overtake(|| ()).unwrap();
            };
            let preempted = Preempted::at(1, &cpu, &meet);
            let removed = kernel.page_remove(&preempted, &mut guest.cache, page);
            assert!(preempted.met());
            assert_eq!(removed, Ok(()), "{mode:?}");
        });
        assert_eq!(kernel.mappings(page), []);
        assert!(machine.guest().verdicts().clean());
    }
}
