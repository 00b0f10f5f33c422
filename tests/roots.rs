//! Constructed roots: kept and found again, given up when pages run short; and what the tools do with the
//! recursive slots in them, with amd64's and with PAE's.

use ptom::backend::Native;
use ptom::pmap::{Kernel, Layout, PageCache, PmapError, RECURSIVE_SLOT};
use ptom::scheme::percpu::PerCpu;
use ptom::suspend::{pre_suspend, suspend};
use ptom::xen::save::Failed;
use ptom::xen::{
    Config, Flush, Machine, Mmu, MmuUpdate, Mode, NewPte, Outcome, Paging, Pfn, Pte, Va, Vcpu,
};

type Scheme = PerCpu<Native>;
type Cpu<'m> = Vcpu<'m, Native, Scheme>;

const PAGES: u64 = 512;
/// Those that a guest has for itself, the kernel's own tables, the P2M with its lists.
const NOT_FREE: u64 = 3 + 4 + 3;
const RESUMED: Outcome = Outcome::Resumed { lost_tables: 0 };

fn machine() -> Machine<Native, Scheme> {
    Machine::new(Config::new(PAGES, 2)).unwrap()
}

fn assert_sound(machine: &Machine<Native, Scheme>) {
    assert_eq!(machine.guest().broken_invariants(), 0);
    let verdicts = machine.guest().verdicts();
    assert!(verdicts.clean(), "{verdicts:?}");
}

fn constructed(kernel: &Kernel<Native>) -> Vec<Pfn> {
    let mut roots = Vec::new();
    kernel.each_constructed(|root| roots.push(root));
    roots.sort();
    roots
}

/// Takes pages until there is none, and gives them back.
fn free_pages(kernel: &Kernel<Native>, cache: &mut PageCache) -> u64 {
    let mut pages = Vec::new();
    while let Ok(page) = kernel.take_page(cache) {
        pages.push(page);
    }
    let count = pages.len() as u64;
    for page in pages {
        kernel.give_page(cache, page);
    }
    count
}

#[test]
fn a_second_process_gets_the_first_ones_root_without_a_hypercall() {
    let machine = machine();
    let cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 4).unwrap();
    let mut cache = PageCache::default();
    let pmap = kernel.create(&cpu, &mut cache).unwrap();
    let root = kernel.root(pmap);
    let page = kernel.take_page(&mut cache).unwrap();
    let va = Va(0x40_0000);
    kernel
        .enter(&cpu, &mut cache, pmap, va, page, true)
        .unwrap();
    kernel.destroy(&cpu, &mut cache, pmap).unwrap();
    let calls = machine.guest().verdicts().hypercalls;
    let next = kernel.create(&cpu, &mut cache).unwrap();
    assert_eq!(machine.guest().verdicts().hypercalls, calls);
    assert_eq!(kernel.root(next), root);
    assert_eq!(kernel.extract(&cpu, next, va), None, "the first one's page");
    assert_sound(&machine);
}

#[test]
fn another_vcpu_gets_it_by_way_of_the_depot() {
    let machine = machine();
    let [one, two] = [(); 2].map(|()| machine.vcpu().unwrap());
    let kernel = Kernel::boot(&one, 4).unwrap();
    let [mut first, mut second] = [(); 2].map(|()| PageCache::default());
    let pmap = kernel.create(&one, &mut first).unwrap();
    let root = kernel.root(pmap);
    kernel.destroy(&one, &mut first, pmap).unwrap();
    kernel.drain(&mut first);
    let next = kernel.create(&two, &mut second).unwrap();
    assert_eq!(kernel.root(next), root);
    assert_eq!(constructed(&kernel), [root]);
}

#[test]
fn a_root_is_reaped_when_pages_run_short() {
    let machine = machine();
    let cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 4).unwrap();
    let mut cache = PageCache::default();
    let all = free_pages(&kernel, &mut cache);
    assert_eq!(all, PAGES - NOT_FREE);
    let pmaps = [(); 3].map(|()| kernel.create(&cpu, &mut cache).unwrap());
    for pmap in &pmaps[1..] {
        kernel.destroy(&cpu, &mut cache, *pmap).unwrap();
    }
    assert_eq!(free_pages(&kernel, &mut cache), all - 3);
    // All but one page are used up; an entry needs three tables.
    let pages: Vec<Pfn> = (0..all - 4)
        .map(|_| kernel.take_page(&mut cache).unwrap())
        .collect();
    let enter = |cache: &mut PageCache, va| kernel.enter(&cpu, cache, pmaps[0], va, pages[0], true);
    enter(&mut cache, Va(0x40_0000)).unwrap();
    assert_eq!(constructed(&kernel), [kernel.root(pmaps[0])]);
    let refused = enter(&mut cache, Va(0x7000_0000_0000));
    assert_eq!(refused, Err(PmapError::NoPages));
    kernel.destroy(&cpu, &mut cache, pmaps[0]).unwrap();
    assert_eq!(kernel.reap(&cpu, &mut cache), Ok(1));
    for page in pages {
        kernel.give_page(&mut cache, page);
    }
    assert_eq!(free_pages(&kernel, &mut cache), all);
    assert_eq!(constructed(&kernel), []);
    assert_sound(&machine);
}

/// Unmaps shared_info, which has no PFN.
fn unmap_shared_info(cpu: &Cpu<'_>) {
    let hold = cpu.hold();
    let shared_info = Layout::of(hold.access().guest().paging()).shared_info();
    let unmapped = hold
        .access()
        .update_va_mapping(shared_info, NewPte::ZERO, Flush::PAGE);
    unmapped.unwrap();
}

#[test]
fn a_root_that_names_itself_is_carried_live_or_cached_in_every_way() {
    let modes = [Mode::Fresh, Mode::Deranged { seed: 5 }, Mode::Cancelled];
    for (mode, wire) in modes.into_iter().flat_map(|m| [(m, false), (m, true)]) {
        let machine = machine();
        let mut cpu = machine.vcpu().unwrap();
        let kernel = Kernel::boot(&cpu, 16).unwrap();
        let mut cache = PageCache::default();
        let pmaps: Vec<_> = (0..16)
            .map(|_| kernel.create(&cpu, &mut cache).unwrap())
            .collect();
        for pmap in &pmaps[8..] {
            kernel.destroy(&cpu, &mut cache, *pmap).unwrap();
        }
        kernel.load(&cpu, pmaps[3]).unwrap();
        let calls = machine.guest().verdicts().hypercalls;
        let mut suspending = pre_suspend(&mut cpu, &kernel).unwrap();
        let made = machine.guest().verdicts().hypercalls - calls;
        assert_eq!(made, 1, "shared_info; none for any root");
        let outcome = match wire {
            true => suspending.hypercall_by(mode, |stream| stream),
            false => suspending.hypercall(mode),
        };
        let outcome = outcome.unwrap();
        suspending.post_suspend(outcome).unwrap();
        assert!([RESUMED, Outcome::Cancelled].contains(&outcome));
        let hold = cpu.hold();
        let roots = constructed(&kernel);
        assert_eq!(roots.len(), 16);
        for root in roots {
            let mfn = hold.mfn(root).unwrap();
            let slot = hold.access().read(mfn, RECURSIVE_SLOT).pte();
            assert_eq!((slot.present(), slot.mfn()), (true, mfn.raw()), "{mode:?}");
        }
        assert_sound(&machine);
    }
}

/// In a PAE guest four L2 tables, with these PFNs, pinned one by one as NetBSD does, whose roots are the
/// vCPUs': the one with the four recursive entries is the third, and last. Then a save and a restore.
fn pae(pages: [u64; 4], emptied: bool) -> Result<Outcome, Failed> {
    let config = Config::new(PAGES, 2).paged(Paging::Pae);
    let machine = Machine::<Native, Scheme>::new(config).unwrap();
    let mut cpu = machine.vcpu().unwrap();
    let _kernel = Kernel::boot(&cpu, 1).unwrap();
    {
        let hold = cpu.hold();
        let access = hold.access();
        let tables = pages.map(|page| hold.mfn(Pfn(page)).unwrap());
        let with_slots = tables[2];
        for table in [tables[0], tables[1], tables[3], with_slots] {
            access.pin(table, 2).unwrap();
        }
        for (at, table) in tables.into_iter().enumerate() {
            let slot = with_slots.entry(508 + at);
            let entry = NewPte::map(table, Pte::P | Pte::A);
            access
                .mmu_update(&[MmuUpdate::normal(slot, entry)])
                .unwrap();
            if emptied {
                let zero = MmuUpdate::normal(slot, NewPte::ZERO);
                access.mmu_update(&[zero]).unwrap();
            }
        }
    }
    assert_eq!(machine.guest().broken_invariants(), 0);
    unmap_shared_info(&cpu);
    let mut world = cpu.suspend();
    world.canonicalise_rings();
    let register = world.start_info().unwrap();
    let outcome = world.hypercall(register, Mode::Fresh)?;
    drop(world);
    // The machine itself finds such entries at a suspend hypercall; and nothing else is wrong.
    let linked = machine.guest().broken_invariants();
    assert_eq!(linked, if emptied { 0 } else { 3 });
    Ok(outcome)
}

#[test]
fn paes_entries_for_each_other_are_carried_only_in_the_right_order() {
    // The restorer pins in the order of PFNs. Where the table with the slots comes before one that it
    // names, that one is taken for an L1 table, and cannot be pinned as what it is.
    assert_eq!(pae([100, 101, 103, 102], false), Ok(RESUMED));
    for pages in [[100, 101, 102, 103], [103, 102, 100, 101]] {
        assert_eq!(pae(pages, false), Err(Failed::Pin), "{pages:?}");
        assert_eq!(pae(pages, true), Ok(RESUMED), "{pages:?}");
    }
}

#[test]
fn a_hundred_suspends_leave_cached_roots_usable() {
    let machine = machine();
    let mut cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 4).unwrap();
    let mut cache = PageCache::default();
    for seed in 0..100 {
        let pmap = kernel.create(&cpu, &mut cache).unwrap();
        kernel.load(&cpu, pmap).unwrap();
        kernel.destroy(&cpu, &mut cache, pmap).unwrap();
        let outcome = suspend(&mut cpu, &kernel, Mode::Deranged { seed }).unwrap();
        assert_eq!(outcome, RESUMED);
    }
    assert_eq!(constructed(&kernel).len(), 1);
    assert_sound(&machine);
}
