//! F15: all CPUs are stopped, and a thread that was preempted in the middle keeps its MFN.
//!
//! FreeBSD's `stop_cpus` and NetBSD's merge keep CPUs from running, not threads from being half done. Linux
//! froze all tasks at a safe point before `stop_machine`, for this reason; `qsbr` is that.

use crate::guest::{Guest, PAGE, Preempted, Shown, VA, of_every_scheme};
use crate::turns::{Turns, for_ever, give_way};
use ptom::pmap::PageCache;
use ptom::scheme::{Scheme, stop_cpus::StopCpus};
use ptom::xen::{Mmu, MmuUpdate, Mode, NewPte, Pfn};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// Suspends that were complete when the reader went on, and what came of it.
fn preempted<S: Scheme<Turns>>(guest: &'static Guest<S>) -> (u64, bool) {
    let (pmap, _) = guest.processes[0];
    let seen: &AtomicU64 = for_ever(AtomicU64::new(0));
    let page = guest.page();
    let entered = guest.race(Mode::Fresh, move |cpu| {
        let entered = guest.kernel.enter(
            &Preempted(cpu),
            &mut PageCache::default(),
            pmap,
            VA,
            page,
            true,
        );
        seen.store(guest.machine.guest().domain().suspends(), SeqCst);
        entered.is_ok()
    });
    (seen.load(SeqCst), entered)
}

struct StopTheWorld;

impl Shown for StopTheWorld {
    fn of<S: Scheme<Turns>>() {
        let guest = Guest::<S>::with(1);
        let (suspends, entered) = preempted(guest);
        assert_eq!(suspends, u64::from(!S::CLAIMS.holds), "{}", S::NAME);
        assert_eq!(entered, S::CLAIMS.holds, "{}", S::NAME);
        let stale = guest.machine.guest().verdicts().stale_uses;
        assert_eq!(stale > 0, !S::CLAIMS.holds, "{}", S::NAME);
    }
}

#[test]
fn stopping_cpus_does_not_drain_threads() {
    of_every_scheme::<StopTheWorld>();
}

#[test]
fn with_preemption_off_stopping_is_enough() {
    // No preemption point between translating and using: the CPU is stopped before or after.
    let guest = Guest::<StopCpus<Turns>>::with(0);
    let done = guest.race(Mode::Fresh, |cpu| {
        give_way();
        let hold = cpu.hold();
        let [table, page] = [crate::guest::KERNEL_L1, Pfn(500)].map(|pfn| hold.mfn(pfn).unwrap());
        let update = MmuUpdate::normal(table.entry(3), NewPte::map(page, PAGE));
        hold.access().mmu_update(&[update]).is_ok()
    });
    assert!(done);
    guest.assert_sound();
}
