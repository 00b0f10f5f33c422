//! The alternate slot: who uses it, what goes wrong without a shoot-down, and what a save finds there.

use ptom::backend::Native;
use ptom::pmap::{
    Act, Alternate, KERNEL_SLOT, Kernel, PageCache, PmapError, PmapId, Range, Touch, User, Way,
};
use ptom::scheme::percpu::PerCpu;
use ptom::suspend::suspend;
use ptom::xen::save::Failed;
use ptom::xen::{Config, Era, Errno, Flush, Machine, Mmu, Mode, NewPte, Outcome, Pfn, Va, Vcpu};

use Era::{Before2017, Now};

type Scheme = PerCpu<Native>;
type Cpu<'m> = Vcpu<'m, Native, Scheme>;

const VA: Va = Va(0x40_0000);
const SLOTTED: [Alternate; 3] = [Alternate::Lazy, Alternate::LazyShot, Alternate::Eager];
const ALL: [Alternate; 4] = [
    Alternate::Lazy,
    Alternate::LazyShot,
    Alternate::Eager,
    Alternate::Load,
];

fn machine(era: Era) -> Machine<Native, Scheme> {
    let machine = Machine::new(Config::new(2048, 4)).unwrap();
    machine.guest().as_of(era);
    machine.guest().with_tlb();
    machine
}

fn boot(cpu: &Cpu<'_>, alternate: Alternate) -> Kernel<Native> {
    let mut kernel = Kernel::boot(cpu, 100).unwrap();
    kernel.reach_by(alternate);
    kernel
}

/// `count` processes with a page of their own at [`VA`].
fn processes(
    cpu: &Cpu<'_>,
    kernel: &Kernel<Native>,
    cache: &mut PageCache,
    count: usize,
) -> Vec<(PmapId, Pfn)> {
    let made = (0..count).map(|_| {
        let pmap = kernel.create(cpu, cache).unwrap();
        let page = kernel.take_page(cache).unwrap();
        kernel.load(cpu, pmap).unwrap();
        kernel.enter(cpu, cache, pmap, VA, page, true).unwrap();
        (pmap, page)
    });
    made.collect()
}

/// From the loaded pmap, looks at another one and goes on.
fn look(cpu: &Cpu<'_>, kernel: &Kernel<Native>, at: PmapId) -> Result<(), PmapError> {
    let hold = cpu.hold();
    let window = kernel.map_ptes(hold.access(), at, User::Extract)?;
    window.unmap().map(drop)
}

fn assert_sound(machine: &Machine<Native, Scheme>) {
    assert_eq!(machine.guest().broken_invariants(), 0);
    let verdicts = machine.guest().verdicts();
    assert_eq!(
        (verdicts.stale_uses, verdicts.wrong_frame, verdicts.faults),
        (0, 0, 0)
    );
}

/// Two CPUs in one process look at two others. What the first one sees at last, of the second.
fn second_look(era: Era, alternate: Alternate) -> (Option<Pfn>, Pfn, Pfn) {
    let machine = machine(era);
    let [one, two] = [(); 2].map(|()| machine.vcpu().unwrap());
    let kernel = boot(&one, alternate);
    let mut cache = PageCache::default();
    let all = processes(&one, &kernel, &mut cache, 3);
    let [(home, _), (first, of_first), (second, of_second)] = all[..] else {
        unreachable!()
    };
    for cpu in [&one, &two] {
        kernel.load(cpu, home).unwrap();
        assert_eq!(kernel.extract(cpu, first, VA), Some(of_first));
    }
    assert_eq!(kernel.extract(&two, second, VA), Some(of_second));
    let seen = kernel.extract(&one, second, VA);
    assert_sound(&machine);
    (seen, of_first, of_second)
}

#[test]
fn a_cached_slot_shows_the_wrong_process_on_two_cpus() {
    let (seen, of_first, _) = second_look(Before2017, Alternate::Lazy);
    assert_eq!(seen, Some(of_first), "the TLB's truth, not the tables'");
}

#[test]
fn a_shoot_down_cures_it_and_so_does_each_other_policy() {
    for alternate in [Alternate::LazyShot, Alternate::Eager, Alternate::Load] {
        let (seen, _, of_second) = second_look(Before2017, alternate);
        assert_eq!(seen, Some(of_second), "{alternate:?}");
    }
}

#[test]
fn todays_xen_shoots_by_itself() {
    for alternate in ALL {
        let (seen, _, of_second) = second_look(Now, alternate);
        assert_eq!(seen, Some(of_second), "{alternate:?}");
    }
}

#[test]
fn todays_xen_refuses_a_chain_of_slots() {
    for alternate in ALL {
        for era in [Now, Before2017] {
            let machine = machine(era);
            let cpu = machine.vcpu().unwrap();
            let kernel = boot(&cpu, alternate);
            let all = processes(&cpu, &kernel, &mut PageCache::default(), 3);
            kernel.load(&cpu, all[0].0).unwrap();
            look(&cpu, &kernel, all[1].0).unwrap();
            kernel.load(&cpu, all[1].0).unwrap();
            let chained = look(&cpu, &kernel, all[2].0);
            let lazy = matches!(alternate, Alternate::Lazy | Alternate::LazyShot);
            if era == Now && lazy {
                let errno = chained.unwrap_err().errno();
                assert_eq!(errno, Some(Errno::Inval), "{alternate:?}");
                assert_eq!(kernel.touched(User::Extract, Touch::Refused), 1);
            } else {
                chained.unwrap();
            }
            assert_sound(&machine);
        }
    }
}

#[test]
fn every_user_of_the_slot_is_listed() {
    let machine = machine(Before2017);
    let cpu = machine.vcpu().unwrap();
    let kernel = boot(&cpu, Alternate::Eager);
    let mut cache = PageCache::default();
    let all = processes(&cpu, &kernel, &mut cache, 2);
    let none = User::ALL.map(|user| kernel.touched(user, Touch::Set));
    assert_eq!(none, [0; 6], "nobody needs it for the pmap that is loaded");
    kernel.load(&cpu, all[0].0).unwrap();
    let (other, page) = all[1];
    let here = Range {
        page: VA.0 >> 12,
        pages: 1,
    };
    assert_eq!(kernel.extract(&cpu, other, VA), Some(page));
    kernel
        .enter(&cpu, &mut cache, other, VA, page, true)
        .unwrap();
    kernel.protect(&cpu, other, here, false).unwrap();
    kernel.remove(&cpu, &mut cache, other, here).unwrap();
    kernel.destroy(&cpu, &mut cache, other).unwrap();
    let set = User::ALL.map(|user| kernel.touched(user, Touch::Set));
    let cleared = User::ALL.map(|user| kernel.touched(user, Touch::Cleared));
    assert_eq!(set, [1, 1, 1, 1, 0, 0]);
    assert_eq!(cleared, [1, 1, 1, 1, 0, 0]);
    assert_sound(&machine);
}

#[test]
fn the_operations_do_the_same_through_every_window() {
    for alternate in ALL {
        let machine = machine(Before2017);
        let cpu = machine.vcpu().unwrap();
        let kernel = boot(&cpu, alternate);
        let mut cache = PageCache::default();
        let all = processes(&cpu, &kernel, &mut cache, 3);
        for (from, (home, _)) in all.iter().enumerate() {
            kernel.load(&cpu, *home).unwrap();
            for (at, (pmap, page)) in all.iter().enumerate() {
                assert_eq!(kernel.extract(&cpu, *pmap, VA), Some(*page), "{from} {at}");
                let far = Va(0x7000_0000_0000 + from as u64 * 0x1000);
                kernel
                    .enter(&cpu, &mut cache, *pmap, far, *page, false)
                    .unwrap();
                assert_eq!(kernel.extract(&cpu, *pmap, far), Some(*page));
            }
            for (pmap, _) in &all {
                let far = Range {
                    page: 0x7_0000_0000 + from as u64,
                    pages: 1,
                };
                kernel.remove(&cpu, &mut cache, *pmap, far).unwrap();
                let va = Va::of_page(far.page);
                assert_eq!(kernel.extract(&cpu, *pmap, va), None);
            }
        }
        kernel.load_kernel(&cpu).unwrap();
        for (pmap, _) in all {
            kernel.destroy(&cpu, &mut cache, pmap).unwrap();
        }
        assert_eq!(kernel.slots_set(&cpu), 0, "{alternate:?}");
        assert_sound(&machine);
    }
}

#[test]
fn a_slot_that_names_a_dead_pmap_is_emptied() {
    for alternate in SLOTTED {
        let machine = machine(Before2017);
        let cpu = machine.vcpu().unwrap();
        let kernel = boot(&cpu, alternate);
        let mut cache = PageCache::default();
        let all = processes(&cpu, &kernel, &mut cache, 3);
        for (home, _) in &all[..2] {
            kernel.load(&cpu, *home).unwrap();
            look(&cpu, &kernel, all[2].0).unwrap();
        }
        let set = kernel.slots_set(&cpu);
        assert_eq!(set, if alternate == Alternate::Eager { 0 } else { 2 });
        kernel.destroy(&cpu, &mut cache, all[2].0).unwrap();
        assert_eq!(kernel.slots_set(&cpu), 0);
        assert_sound(&machine);
    }
}

#[test]
fn a_slot_left_set_fails_the_restore_and_a_cleared_one_does_not() {
    for left in [false, true] {
        let machine = machine(Now);
        let mut cpu = machine.vcpu().unwrap();
        let kernel = boot(&cpu, Alternate::Lazy);
        let all = processes(&cpu, &kernel, &mut PageCache::default(), 2);
        kernel.load(&cpu, all[0].0).unwrap();
        look(&cpu, &kernel, all[1].0).unwrap();
        assert_eq!(kernel.slots_set(&cpu), 1);
        if !left {
            let outcome = suspend(&mut cpu, &kernel, Mode::Fresh).unwrap();
            assert_eq!(outcome, Outcome::Resumed { lost_tables: 0 });
            assert_eq!(kernel.extract(&cpu, all[1].0, VA), Some(all[1].1));
            assert_sound(&machine);
            continue;
        }
        // The protocol but for this step. The root that was loaded is validated first, before the
        // one that it names is a root again.
        let mut world = cpu.suspend();
        world.canonicalise_rings();
        let register = world.start_info().unwrap();
        let failed = world.hypercall(register, Mode::Fresh);
        assert!(
            matches!(failed, Err(Failed::Load | Failed::Pin)),
            "{failed:?}"
        );
    }
}

/// Sets alternate slots in `dirty` pmaps, each naming one of the others; counts what is left of them.
fn sweep(way: Way, pmaps: usize, dirty: usize) -> ptom::pmap::Work {
    let machine = machine(Before2017);
    let cpu = machine.vcpu().unwrap();
    let kernel = boot(&cpu, Alternate::Lazy);
    let mut cache = PageCache::default();
    let own = kernel.create_unlisted(&cpu, &mut cache).unwrap();
    let all = processes(&cpu, &kernel, &mut cache, pmaps);
    for at in 0..dirty {
        let home = if way == Way::PerCpu { own } else { all[at].0 };
        kernel.load(&cpu, home).unwrap();
        look(&cpu, &kernel, all[pmaps - 1 - at].0).unwrap();
    }
    kernel.load_kernel(&cpu).unwrap();
    let set = kernel.slots_set(&cpu);
    assert_eq!(set, if way == Way::PerCpu { 1 } else { dirty as u64 });
    let before = machine.guest().verdicts().hypercalls;
    let work = kernel.sweep(&cpu, way).unwrap();
    let made = machine.guest().verdicts().hypercalls - before;
    assert_eq!(work.of(Act::Hypercall), made, "{way:?}");
    assert_eq!(kernel.slots_set(&cpu), 0, "{way:?}");
    kernel.each_dirty(|pmap| panic!("{pmap:?} is still on the list, {way:?}"));
    assert_sound(&machine);
    work
}

#[test]
fn every_way_empties_every_slot_and_costs_what_it_says() {
    let of = |way, act| sweep(way, 40, 4).of(act);
    // One to bring each into view, one to flush but for the first, one for each slot and the last.
    assert_eq!(of(Way::MapEach, Act::Hypercall), 40 + 39 + 4 + 1);
    assert_eq!(of(Way::MapEach, Act::Flush), 39);
    assert_eq!(of(Way::PmPdir, Act::Fault), 40);
    assert_eq!(of(Way::Batched, Act::Hypercall), 1 + 1);
    assert_eq!(of(Way::Batched, Act::Update), 40 + 2);
    assert_eq!(of(Way::DirtyList, Act::Hypercall), 1);
    assert_eq!(of(Way::DirtyList, Act::Update), 4);
    assert_eq!(of(Way::PerCpu, Act::Update), 2);
    assert_eq!(sweep(Way::DirtyList, 40, 0), Default::default());
}

#[test]
fn todays_xen_refuses_the_mails_sweep() {
    let machine = machine(Now);
    let cpu = machine.vcpu().unwrap();
    let kernel = boot(&cpu, Alternate::Lazy);
    let all = processes(&cpu, &kernel, &mut PageCache::default(), 2);
    kernel.load(&cpu, all[0].0).unwrap();
    look(&cpu, &kernel, all[1].0).unwrap();
    kernel.load_kernel(&cpu).unwrap();
    let refused = kernel.sweep(&cpu, Way::MapEach).unwrap_err();
    assert_eq!(refused.errno(), Some(Errno::Inval));
    kernel.sweep(&cpu, Way::DirtyList).unwrap();
    assert_eq!(kernel.slots_set(&cpu), 0);
    assert_sound(&machine);
}

#[test]
fn a_cancelled_suspend_leaves_nothing_of_a_window_in_a_tlb() {
    for alternate in ALL {
        let machine = machine(Before2017);
        let mut cpu = machine.vcpu().unwrap();
        let kernel = boot(&cpu, alternate);
        let all = processes(&cpu, &kernel, &mut PageCache::default(), 3);
        let [(home, _), (first, of_first), (second, of_second)] = all[..] else {
            unreachable!()
        };
        kernel.load(&cpu, home).unwrap();
        assert_eq!(kernel.extract(&cpu, first, VA), Some(of_first));
        let outcome = suspend(&mut cpu, &kernel, Mode::Cancelled).unwrap();
        assert_eq!(outcome, Outcome::Cancelled);
        let seen = kernel.extract(&cpu, second, VA);
        assert_eq!(seen, Some(of_second), "{alternate:?}");
    }
}

#[test]
fn a_root_that_names_itself_needs_no_visit_on_amd64() {
    // The recursive slot is an entry of the same root: Xen takes no reference for it, and restores it
    // in whatever order. It is the slots that name others that cannot stay.
    let machine = machine(Now);
    let mut cpu = machine.vcpu().unwrap();
    let kernel = boot(&cpu, Alternate::Lazy);
    let all = processes(&cpu, &kernel, &mut PageCache::default(), 3);
    {
        let hold = cpu.hold();
        let shared_info = Va((KERNEL_SLOT as u64) << 39);
        hold.access()
            .update_va_mapping(shared_info, NewPte::ZERO, Flush::PAGE)
            .unwrap();
    }
    let mut world = cpu.suspend();
    world.canonicalise_rings();
    let register = world.start_info().unwrap();
    let outcome = world.hypercall(register, Mode::Fresh).unwrap();
    assert_eq!(outcome, Outcome::Resumed { lost_tables: 0 });
    drop(world);
    for (pmap, page) in all {
        assert_eq!(kernel.extract(&cpu, pmap, VA), Some(page));
    }
}
