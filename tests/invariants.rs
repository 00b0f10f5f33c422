//! What breaks an invariant of the machine is said, with its place: one test an invariant.
//!
//! Of I5 and I6 other tests tell: `tests/failures/f13_*` (the suspender translates), the models and
//! `results/progress.csv`.

use ptom::backend::Native;
use ptom::pmap::{KERNEL_SLOT, Kernel, PageCache, RECURSIVE_SLOT};
use ptom::scheme::{percpu::PerCpu, unprotected::Unprotected};
use ptom::suspend::{pre_suspend, suspend};
use ptom::xen::raw::RawUpdate;
use ptom::xen::{
    Broken, Command, Config, Domid, Machine, Mmu, MmuUpdate, Mode, NewPte, Outcome, Pfn, Pte,
    RawMfn, UpdateQueue, Va, Watched,
};

type Sound = PerCpu<Native>;
const TABLE: Pfn = Pfn(100);
const DATA: Pfn = Pfn(101);

fn machine<S: ptom::scheme::Scheme<Native>>() -> Machine<Native, S> {
    Machine::new(Config::small()).unwrap()
}

fn said(broken: &[Broken]) -> Vec<String> {
    broken.iter().map(ToString::to_string).collect()
}

#[test]
fn i1_a_stale_number_is_used() {
    let machine = machine::<Unprotected>();
    let [victim, mut suspender] = [(); 2].map(|()| machine.vcpu().unwrap());
    let kernel = Kernel::boot(&suspender, 1).unwrap();
    let hold = victim.hold();
    let stale = hold.mfn(DATA).unwrap();
    let _ = suspend(&mut suspender, &kernel, Mode::Fresh).unwrap();
    hold.access().pin(stale, 1).unwrap_err();
    drop(hold);
    assert_eq!(
        machine.guest().broken(),
        [
            Broken::StaleUse { vcpu: 0, times: 1 },
            Broken::WrongFrame { vcpu: 0, times: 1 },
        ]
    );
    assert_eq!(machine.guest().broken_invariants(), 2);
}

#[test]
fn i2_a_hold_and_a_queue_at_the_suspend() {
    let machine = machine::<Unprotected>();
    let [reader, mut suspender] = [(); 2].map(|()| machine.vcpu().unwrap());
    let kernel = Kernel::boot(&suspender, 1).unwrap();
    let watched = Watched::new(&reader);
    let hold = watched.hold();
    let mut queue = UpdateQueue::new(hold.access());
    let [table, page] = [TABLE, DATA].map(|pfn| hold.mfn(pfn).unwrap());
    for index in 0..3 {
        let val = NewPte::map(page, Pte::P);
        let queued = queue.push(MmuUpdate::normal(table.entry(index), val));
        queued.unwrap();
    }
    for _ in 0..2 {
        let outcome = suspend(&mut suspender, &kernel, Mode::Cancelled).unwrap();
        assert_eq!(
            outcome,
            Outcome::Cancelled,
            "a cancelled one is looked at too"
        );
    }
    drop(queue);
    drop(hold);
    let _ = suspend(&mut suspender, &kernel, Mode::Fresh).unwrap();
    let broken = machine.guest().broken();
    assert_eq!(
        said(&broken),
        [
            "I2: vCPU 0 was in a hold at 2 suspend hypercalls",
            "I2: vCPU 0 had 6 updates queued at suspend hypercalls",
        ]
    );
    assert_eq!(machine.guest().broken_invariants(), 8);
}

#[test]
fn i2_a_queue_that_is_flushed_is_empty() {
    let machine = machine::<Sound>();
    let mut cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 1).unwrap();
    {
        let hold = cpu.hold();
        let [table, page] = [TABLE, DATA].map(|pfn| hold.mfn(pfn).unwrap());
        hold.access().pin(table, 1).unwrap();
        let mut queue = UpdateQueue::new(hold.access());
        let update = |flags| MmuUpdate::normal(table.entry(0), NewPte::map(page, flags));
        queue.push(update(Pte::P)).unwrap();
        queue.flush().unwrap();
        // One done, one refused, one left: none of them waits at the end.
        for flags in [Pte::P, Pte::P | Pte::PWT, Pte::P] {
            queue.push(update(flags)).unwrap();
        }
        assert_eq!(queue.flush().unwrap_err().done, 1);
        assert_eq!(queue.len(), 1);
    }
    let _ = suspend(&mut cpu, &kernel, Mode::Fresh).unwrap();
    assert_eq!(machine.guest().broken(), []);
}

#[test]
fn i2_a_table_that_names_itself_is_no_alternate() {
    let machine = machine::<Sound>();
    let mut cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 1).unwrap();
    {
        let hold = cpu.hold();
        let root = hold.mfn(TABLE).unwrap();
        hold.access().pin(root, 4).unwrap();
        let update = MmuUpdate::normal(root.entry(3), NewPte::map(root, Pte::P));
        hold.access().mmu_update(&[update]).unwrap();
    }
    let _ = suspend(&mut cpu, &kernel, Mode::Fresh).unwrap();
    assert_eq!(machine.guest().broken(), []);
}

#[test]
fn i3_the_m2p_says_otherwise() {
    let machine = machine::<Sound>();
    let cpu = machine.vcpu().unwrap();
    let hold = cpu.hold();
    let mfn = hold.mfn(DATA).unwrap();
    let lie = MmuUpdate {
        ptr: mfn.entry(0),
        command: Command::MachPhys,
        val: NewPte::ZERO,
    };
    hold.access().mmu_update(&[lie]).unwrap();
    let broken = machine.guest().broken();
    let mfn = mfn.raw();
    assert_eq!(broken, [Broken::NotInverse { pfn: DATA, mfn }]);
}

#[test]
fn i4_a_hold_that_stays_and_holds_too_deep() {
    let machine = machine::<Sound>();
    let [one, two] = [(); 2].map(|()| machine.vcpu().unwrap());
    std::mem::forget(Watched::new(&one).hold());
    let watched = Watched::new(&two);
    let holds: Vec<_> = (0..255).map(|_| watched.hold()).collect();
    drop(holds);
    let broken = machine.guest().broken();
    assert_eq!(said(&broken), ["I4: vCPU 0 is 1 deep in holds at rest"]);
    let holds: Vec<_> = (0..256).map(|_| watched.hold()).collect();
    drop(holds);
    let broken = machine.guest().broken();
    assert_eq!(
        said(&broken)[1..],
        ["I4: vCPU 1 was 256 deep in holds, of 255"]
    );
}

#[test]
fn i7_recursive_slots_that_were_not_restored() {
    let machine = machine::<Sound>();
    let mut cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 4).unwrap();
    let cache = &mut PageCache::default();
    let pmaps = [(); 2].map(|()| kernel.create(&cpu, cache).unwrap());
    let mut roots = pmaps.map(|pmap| kernel.root(pmap));
    assert_eq!(kernel.broken(&cpu), []);
    // The protocol but for its last step.
    let mut world = cpu.suspend();
    kernel.clear_recursive(&world).unwrap();
    world.canonicalise_rings();
    let register = world.start_info().unwrap();
    let _ = world.hypercall(register, Mode::Fresh).unwrap();
    let mut broken = kernel.broken(&world);
    // Nor was the P2M's frame list made anew.
    let list = Broken::FrameList { mfn: RawMfn(0) };
    assert_eq!(broken.pop(), Some(list));
    broken.sort_by_key(ToString::to_string);
    roots.sort();
    assert_eq!(
        broken,
        roots.map(|root| Broken::Recursive { root, found: 0 })
    );
    kernel.restore_recursive(&world).unwrap();
    assert_eq!(kernel.broken(&world), [list]);
}

#[test]
fn i7_a_frame_list_that_names_no_frame() {
    let machine = machine::<Sound>();
    let cpu = machine.vcpu().unwrap();
    let hold = cpu.hold();
    let shared_info = hold.access().shared_info();
    let list = hold.mfn(DATA).unwrap().raw();
    let set = |val| {
        let request = RawUpdate {
            ptr: shared_info.entry(0x183).raw(),
            val,
        };
        let raw = hold.access().raw();
        assert_eq!(raw.mmu_update([Some(request)], None, Domid::SELF), 0);
        machine.guest().broken()
    };
    assert_eq!(set(list.0), []);
    let mfn = RawMfn(list.0 + 0x100_0000);
    assert_eq!(set(mfn.0), [Broken::FrameList { mfn }]);
}

#[test]
fn what_nothing_is_wrong_with_breaks_nothing() {
    let machine = machine::<Sound>();
    let mut cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 4).unwrap();
    let cache = &mut PageCache::default();
    let pmap = kernel.create(&cpu, cache).unwrap();
    let page = kernel.take_page(cache).unwrap();
    let va = Va((KERNEL_SLOT as u64 / 2) << 30);
    for mode in [Mode::Fresh, Mode::Cancelled, Mode::Deranged { seed: 3 }] {
        let watched = Watched::new(&cpu);
        kernel.enter(&watched, cache, pmap, va, page, true).unwrap();
        let _ = suspend(&mut cpu, &kernel, mode).unwrap();
        assert_eq!(kernel.broken(&cpu), []);
        assert_eq!(machine.guest().broken(), [], "{mode:?}");
    }
}

/// The machine looks by itself after a restore: a recursive slot that was emptied meanwhile is told.
#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "after a restore: I7: the recursive slot")]
fn i7_is_looked_at_by_the_suspend_itself() {
    let machine = machine::<Sound>();
    let mut cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 4).unwrap();
    let pmap = kernel.create(&cpu, &mut PageCache::default()).unwrap();
    let mut suspending = pre_suspend(&mut cpu, &kernel).unwrap();
    let outcome = suspending.hypercall(Mode::Fresh).unwrap();
    {
        let hold = suspending.hold();
        let root = hold.mfn(kernel.root(pmap)).unwrap();
        let emptied = MmuUpdate::normal(root.entry(RECURSIVE_SLOT), NewPte::ZERO);
        hold.access().mmu_update(&[emptied]).unwrap();
    }
    let _ = suspending.post_suspend(outcome);
}
