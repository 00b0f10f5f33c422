//! Ballooning is one hold, however many batches: a suspend comes before it or after it. What it does to P2M,
//! M2P and contents; and what comes of it where nobody is excluded.

use ptom::backend::Native;
use ptom::pmap::{Kernel, PageCache, PmapError};
use ptom::scheme::Scheme;
use ptom::scheme::percpu::PerCpu;
use ptom::scheme::unprotected::Unprotected;
use ptom::suspend::suspend;
use ptom::xen::{Broken, Config, Held, Machine, Mmu, Mode, Outcome, Pfn, Va, Vcpu};
use std::cell::{Cell, RefCell};
use std::thread;

const PAGES: u64 = 1024;
/// More than two batches.
const MANY: u64 = 600;
const MODES: [Mode; 3] = [Mode::Fresh, Mode::Deranged { seed: 11 }, Mode::Cancelled];

fn machine<S: Scheme<Native>>() -> Machine<Native, S> {
    Machine::new(Config::new(PAGES, 2)).unwrap()
}

/// A vCPU whose holds are counted, and for which something happens at each preemption point.
struct Watched<'v, M, F> {
    vcpu: &'v M,
    holds: Cell<u64>,
    points: Cell<u64>,
    at_point: F,
}

impl<'v, M, F: Fn()> Watched<'v, M, F> {
    fn new(vcpu: &'v M, at_point: F) -> Self {
        Self {
            vcpu,
            holds: Cell::new(0),
            points: Cell::new(0),
            at_point,
        }
    }
}

impl<M: Mmu<Native>, F: Fn()> Mmu<Native> for Watched<'_, M, F> {
    type Guard<'h>
        = M::Guard<'h>
    where
        Self: 'h;

    fn hold(&self) -> Held<'_, Native, M::Guard<'_>> {
        self.holds.set(self.holds.get() + 1);
        self.vcpu.hold()
    }

    fn preemption_point(&self) {
        self.points.set(self.points.get() + 1);
        (self.at_point)();
    }
}

#[test]
fn frames_go_and_come_in_batches_under_one_hold() {
    let machine = machine::<PerCpu<Native>>();
    let cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 1).unwrap();
    let mut cache = PageCache::default();
    let reservation = || cpu.hold().access().raw().current_reservation() as u64;
    let calls = || machine.guest().verdicts().hypercalls;
    let watched = Watched::new(&cpu, || ());

    let before = calls();
    assert_eq!(kernel.inflate(&watched, &mut cache, MANY), Ok(MANY));
    assert_eq!(calls() - before, 3, "a memory_op a batch");
    assert_eq!((watched.holds.get(), watched.points.get()), (1, 3));
    assert_eq!((kernel.ballooned(), reservation()), (MANY, PAGES - MANY));
    let without = |cpu: &Vcpu<'_, _, _>| {
        let hold = cpu.hold();
        (0..PAGES)
            .filter(|page| hold.mfn(Pfn(*page)).is_none())
            .count() as u64
    };
    assert_eq!(without(&cpu), MANY);
    assert_eq!(machine.guest().broken_invariants(), 0);

    let before = calls();
    assert_eq!(kernel.deflate(&watched, &mut cache, MANY), Ok(MANY));
    assert_eq!(calls() - before, 6, "and one for the M2P");
    assert_eq!((watched.holds.get(), watched.points.get()), (2, 6));
    assert_eq!((kernel.ballooned(), reservation()), (0, PAGES));
    assert_eq!(without(&cpu), 0);
    assert_eq!(machine.guest().broken_invariants(), 0);
    assert!(machine.guest().verdicts().clean());
}

#[test]
fn it_moves_what_there_is() {
    let machine = machine::<PerCpu<Native>>();
    let cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 1).unwrap();
    let mut cache = PageCache::default();
    // Not free: its own pages, the kernel's tables, the P2M with its lists.
    let free = PAGES - 3 - 4 - (2 + PAGES.div_ceil(512));
    assert_eq!(
        kernel.deflate(&cpu, &mut cache, 5),
        Ok(0),
        "none is without"
    );
    assert_eq!(kernel.inflate(&cpu, &mut cache, 2 * PAGES), Ok(free));
    assert_eq!(kernel.take_page(&mut cache), Err(PmapError::NoPages));
    assert_eq!(kernel.create(&cpu, &mut cache), Err(PmapError::NoPages));
    assert_eq!(kernel.deflate(&cpu, &mut cache, 5), Ok(5));
    let pmap = kernel.create(&cpu, &mut cache).unwrap();
    let page = kernel.take_page(&mut cache).unwrap();
    let va = Va(0x40_0000);
    kernel
        .enter(&cpu, &mut cache, pmap, va, page, true)
        .unwrap();
    assert_eq!(kernel.deflate(&cpu, &mut cache, PAGES), Ok(free - 5));
    assert_eq!(machine.guest().broken_invariants(), 0);
}

#[test]
fn nobody_reads_what_was_in_a_frame() {
    let machine = machine::<PerCpu<Native>>();
    let cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 1).unwrap();
    let mut cache = PageCache::default();
    let pmap = kernel.create(&cpu, &mut cache).unwrap();
    kernel.load(&cpu, pmap).unwrap();
    let page = kernel.take_page(&mut cache).unwrap();
    let va = Va(0x40_0000);
    let store = |word| cpu.hold().access().raw().store(va.0, 8, word);
    kernel
        .enter(&cpu, &mut cache, pmap, va, page, true)
        .unwrap();
    store(0x5ec3e7).unwrap();
    let only = ptom::pmap::Range {
        page: va.0 >> 12,
        pages: 1,
    };
    kernel.remove(&cpu, &mut cache, pmap, only).unwrap();
    kernel.give_page(&mut cache, page);
    // A hold over all of it, to look into the frame when it is Xen's.
    let hold = cpu.hold();
    let frame = hold.mfn(page).unwrap();
    assert_eq!(hold.access().read(frame, 0).pte().0, 0x5ec3e7);
    assert_eq!(kernel.inflate(&cpu, &mut cache, MANY), Ok(MANY));
    assert!(hold.mfn(page).is_none(), "the page given last went first");
    assert_eq!(hold.access().read(frame, 0).pte().0, 0);
}

#[test]
fn a_suspend_in_the_middle_waits_for_the_last_batch() {
    for mode in MODES {
        let machine = machine::<PerCpu<Native>>();
        let cpu = machine.vcpu().unwrap();
        let kernel = Kernel::boot(&cpu, 1).unwrap();
        let mut cache = PageCache::default();
        thread::scope(|scope| {
            let started = Cell::new(None);
            let start = || {
                if let Some(running) = started.take() {
                    return started.set(Some(running));
                }
                let (machine, kernel) = (&machine, &kernel);
                let running = scope.spawn(move || {
                    let mut suspender = machine.vcpu().unwrap();
                    kernel.load_kernel(&suspender).unwrap();
                    let world = suspender.suspend();
                    let seen = kernel.ballooned();
                    drop(world);
                    (seen, suspend(&mut suspender, kernel, mode).unwrap())
                });
                started.set(Some(running));
            };
            let watched = Watched::new(&cpu, start);
            assert_eq!(kernel.inflate(&watched, &mut cache, MANY), Ok(MANY));
            let running = started.take().expect("a point was met");
            let (seen, outcome) = running.join().unwrap();
            assert_eq!(seen, MANY, "all batches, though it came in the first");
            assert_eq!(outcome == Outcome::Cancelled, mode == Mode::Cancelled);
        });
        assert_eq!(kernel.deflate(&cpu, &mut cache, MANY), Ok(MANY));
        assert_eq!(machine.guest().broken_invariants(), 0);
        assert!(machine.guest().verdicts().clean());
    }
}

/// Where nobody is excluded, suspends once in the middle of inflating; returns how many pages went.
fn overtaken(mode: Mode) -> (Machine<Native, Unprotected>, u64) {
    let machine = machine::<Unprotected>();
    let went = {
        let [cpu, suspender] = [(); 2].map(|()| machine.vcpu().unwrap());
        let kernel = Kernel::boot(&cpu, 1).unwrap();
        kernel.load_kernel(&suspender).unwrap();
        let suspender = RefCell::new(Some(suspender));
        let watched = Watched::new(&cpu, || {
            if let Some(mut suspender) = suspender.take() {
                let _ = suspend(&mut suspender, &kernel, mode).unwrap();
            }
        });
        let went = kernel.inflate(&watched, &mut PageCache::default(), 16);
        went.unwrap()
    };
    (machine, went)
}

#[test]
fn a_stale_frame_given_back_is_another_pages() {
    // Xen takes what it is given, and says so: pages in use have lost their frames.
    let (machine, went) = overtaken(Mode::Deranged { seed: 11 });
    assert!(went > 0);
    assert!(machine.guest().verdicts().stale_uses >= went);
    let lost = |b: &Broken| matches!(b, Broken::NotInverse { .. });
    let lost = machine.guest().broken().into_iter().filter(lost).count() as u64;
    assert!(lost >= went, "{lost} of {went}");
    // On other frames the first is nobody's, and Xen takes none.
    let (machine, went) = overtaken(Mode::Fresh);
    assert_eq!(went, 0);
    assert!(machine.guest().verdicts().stale_uses > 0);
    // Cancelled: nothing moved.
    let (machine, went) = overtaken(Mode::Cancelled);
    assert_eq!((went, machine.guest().broken_invariants()), (16, 0));
}
