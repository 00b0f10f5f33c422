//! Pages' lists of mappings: they say what the tables say, whatever was done; and what is done by them.

use ptom::backend::Native;
use ptom::pmap::{KVA, Kernel, PageCache, PmapError, PmapId, PvEntry, Range};
use ptom::scheme::percpu::PerCpu;
use ptom::suspend::suspend;
use ptom::xen::{Config, Machine, Mmu, Mode, Pfn, Pte, Va, Vcpu};
use std::thread;

type Scheme = PerCpu<Native>;
type Cpu<'m> = Vcpu<'m, Native, Scheme>;

const VA: Va = Va(0x40_0000);

fn machine(vcpus: usize) -> Machine<Native, Scheme> {
    Machine::new(Config::new(1024, vcpus)).unwrap()
}

fn one(va: Va) -> Range {
    Range {
        page: va.page(),
        pages: 1,
    }
}

fn assert_sound(machine: &Machine<Native, Scheme>, cpu: &Cpu<'_>, kernel: &Kernel<Native>) {
    let verdicts = machine.guest().verdicts();
    assert!(verdicts.clean(), "{verdicts:?}");
    assert_eq!(machine.guest().broken_invariants(), 0);
    assert_eq!(kernel.pv_disagreements(cpu), 0);
}

/// Stores to an address of a pmap, as its process would.
fn touch(cpu: &Cpu<'_>, kernel: &Kernel<Native>, pmap: PmapId, va: Va) {
    kernel.load(cpu, pmap).unwrap();
    cpu.hold().access().raw().store(va.0, 8, 1).unwrap();
}

#[test]
fn a_page_knows_who_maps_it() {
    let machine = machine(1);
    let cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 4).unwrap();
    let cache = &mut PageCache::default();
    let [first, second] = [(); 2].map(|()| kernel.take_page(cache).unwrap());
    let parent = kernel.create(&cpu, cache).unwrap();
    let elsewhere = Va(0x7_0000_1000);
    kernel.enter(&cpu, cache, parent, VA, first, true).unwrap();
    kernel
        .enter(&cpu, cache, parent, Va(elsewhere.0 | 0xabc), first, false)
        .unwrap();
    let child = kernel.fork(&cpu, cache, parent).unwrap();
    let all = |pmap| [VA, elsewhere].map(|va| PvEntry { pmap, va });
    let mut known = kernel.mappings(first);
    known.sort();
    assert_eq!(known, [all(parent), all(child)].concat());
    kernel.enter(&cpu, cache, child, VA, second, true).unwrap();
    assert_eq!(kernel.mappings(second), [all(child)[0]]);
    kernel.remove(&cpu, cache, parent, one(VA)).unwrap();
    kernel.destroy(&cpu, cache, child).unwrap();
    assert_eq!(kernel.mappings(first), [all(parent)[1]]);
    assert_eq!(kernel.mappings(second), []);
    assert_sound(&machine, &cpu, &kernel);
}

#[test]
fn a_page_is_unmapped_everywhere() {
    let machine = machine(1);
    let cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 40).unwrap();
    let mut cache = PageCache::default();
    let free = |cache: &mut PageCache| {
        kernel.drain(cache);
        let taken: Vec<_> = std::iter::from_fn(|| kernel.take_page(cache).ok()).collect();
        taken.iter().for_each(|page| kernel.give_page(cache, *page));
        taken.len()
    };
    let before = free(&mut cache);
    let cache = &mut cache;
    let page = kernel.take_page(cache).unwrap();
    let first = kernel.create(&cpu, cache).unwrap();
    kernel.enter(&cpu, cache, first, VA, page, true).unwrap();
    let children: Vec<_> = (0..30)
        .map(|_| kernel.fork(&cpu, cache, first).unwrap())
        .collect();
    assert_eq!(kernel.mappings(page).len(), 31);
    kernel.page_remove(&cpu, cache, page).unwrap();
    assert_eq!(kernel.mappings(page), []);
    for pmap in children.iter().chain([&first]) {
        assert_eq!(kernel.extract(&cpu, *pmap, VA), None);
    }
    assert_sound(&machine, &cpu, &kernel);
    // Their tables went with their last entries: but for the page itself and 31 roots, all is free.
    assert_eq!(free(cache), before - 1 - 31);
    kernel.page_remove(&cpu, cache, page).unwrap();
    for pmap in children.into_iter().chain([first]) {
        kernel.destroy(&cpu, cache, pmap).unwrap();
    }
    kernel.give_page(cache, page);
    // Constructed roots are kept, until somebody needs the pages.
    kernel.reap(&cpu, cache).unwrap();
    assert_eq!(free(cache), before);
}

#[test]
fn a_page_that_no_node_is_left_for_is_refused() {
    let machine = machine(1);
    let cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 4).unwrap();
    let cache = &mut PageCache::default();
    let pmap = kernel.create(&cpu, cache).unwrap();
    let page = kernel.take_page(cache).unwrap();
    let enter = |cache: &mut PageCache, at: u64| {
        let va = Va(VA.0 + (at << 12));
        kernel.enter(&cpu, cache, pmap, va, page, false)
    };
    let fits = (0..).find(|at| enter(cache, *at) == Err(PmapError::NoPvs));
    // Four for each page of the guest, and some for each vCPU; and the page's own.
    assert_eq!(fits, Some(1024 * 4 + 16 + 1));
    assert_eq!(
        kernel.fork(&cpu, cache, pmap).unwrap_err(),
        PmapError::NoPvs
    );
    assert_sound(&machine, &cpu, &kernel);
    kernel
        .remove(&cpu, cache, pmap, one(Va(VA.0 + 0x1000)))
        .unwrap();
    enter(cache, 5000).unwrap();
    kernel.page_remove(&cpu, cache, page).unwrap();
    assert_sound(&machine, &cpu, &kernel);
}

#[test]
fn bits_are_seen_through_every_mapping_and_outlive_it() {
    let machine = machine(1);
    let mut cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 4).unwrap();
    let cache = &mut PageCache::default();
    let page = kernel.take_page(cache).unwrap();
    let [one_pmap, other] = [(); 2].map(|()| kernel.create(&cpu, cache).unwrap());
    for pmap in [one_pmap, other] {
        kernel.enter(&cpu, cache, pmap, VA, page, true).unwrap();
    }
    let dirty = |cpu: &Cpu<'_>| kernel.test_attrs(cpu, page, Pte::D).unwrap();
    assert!(!dirty(&cpu));
    touch(&cpu, &kernel, other, VA);
    assert!(dirty(&cpu));
    kernel.remove(&cpu, cache, other, one(VA)).unwrap();
    assert!(dirty(&cpu), "the entry is gone, the bit is not");
    let _ = suspend(&mut cpu, &kernel, Mode::Fresh).unwrap();
    assert!(dirty(&cpu));
    assert!(kernel.clear_attrs(&cpu, page, Pte::D).unwrap());
    assert!(!dirty(&cpu));
    assert!(!kernel.clear_attrs(&cpu, page, Pte::D).unwrap());
    touch(&cpu, &kernel, one_pmap, VA);
    kernel
        .enter(&cpu, cache, one_pmap, VA, page, false)
        .unwrap();
    assert!(dirty(&cpu), "the entry was replaced, the bit stays");
    assert!(kernel.test_attrs(&cpu, page, Pte::A | Pte::D).unwrap());
    kernel.page_remove(&cpu, cache, page).unwrap();
    assert!(dirty(&cpu));
    kernel.give_page(cache, page);
    assert_eq!(kernel.take_page(cache), Ok(page));
    assert!(!dirty(&cpu), "another life");
    assert_sound(&machine, &cpu, &kernel);
}

#[test]
fn the_kernels_mappings_are_on_no_list() {
    let machine = machine(2);
    let mut cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 4).unwrap();
    let cache = &mut PageCache::default();
    let pages: Vec<Pfn> = (0..700).map(|_| kernel.take_page(cache).unwrap()).collect();
    let va = |at: usize| Va::of_page(KVA.page + 100 + at as u64);
    kernel.kenter(&cpu, cache, va(0), &pages, true).unwrap();
    let seen = |cpu: &Cpu<'_>, at| kernel.extract(cpu, kernel.own(), va(at));
    let others = |cpu: &Cpu<'_>, pmap, at| kernel.extract(cpu, pmap, va(at));
    let process = kernel.create(&cpu, cache).unwrap();
    for mode in [Mode::Cancelled, Mode::Fresh, Mode::Deranged { seed: 3 }] {
        let _ = suspend(&mut cpu, &kernel, mode).unwrap();
        for at in [0, 411, 412, 699] {
            assert_eq!(seen(&cpu, at), Some(pages[at]));
            assert_eq!(others(&cpu, process, at), Some(pages[at]));
        }
    }
    assert!(pages.iter().all(|page| kernel.mappings(*page).is_empty()));
    let some = Range {
        page: va(1).page(),
        pages: 600,
    };
    kernel.kremove(&cpu, some).unwrap();
    kernel.kremove(&cpu, some).unwrap();
    assert_eq!(
        [0, 1, 600, 601].map(|at| seen(&cpu, at)),
        [Some(pages[0]), None, None, Some(pages[601])]
    );
    assert_sound(&machine, &cpu, &kernel);
}

#[test]
fn what_is_not_the_kernels_is_refused() {
    let machine = machine(1);
    let cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 4).unwrap();
    let cache = &mut PageCache::default();
    let page = kernel.take_page(cache).unwrap();
    let last = KVA.page + KVA.pages - 1;
    let refused = Err(PmapError::NotKernels);
    for (first, pages) in [(0, 1), (KVA.page - 1, 2), (last, 2), (u64::MAX, 1)] {
        let run = vec![page; pages];
        let va = Va(first << 12);
        assert_eq!(kernel.kenter(&cpu, cache, va, &run, true), refused);
        let pages = pages as u64;
        let range = Range { page: first, pages };
        assert_eq!(kernel.kremove(&cpu, range), refused);
    }
    let endless = Range {
        page: last,
        pages: u64::MAX,
    };
    assert_eq!(kernel.kremove(&cpu, endless), refused);
    let va = Va::of_page(last);
    kernel.kenter(&cpu, cache, va, &[page], false).unwrap();
    assert_eq!(kernel.extract(&cpu, kernel.own(), va), Some(page));
    assert_sound(&machine, &cpu, &kernel);
}

/// Pages that several vCPUs map, fork and unmap under each other's hands, in pmaps that come and go.
#[test]
fn vcpus_that_remove_the_same_pages_meet_and_finish() {
    const CPUS: usize = 4;
    const ROUNDS: u64 = 400;
    let machine = machine(CPUS + 2);
    let mut suspender = machine.vcpu().unwrap();
    let kernel = &Kernel::boot(&suspender, 3 * CPUS as u32).unwrap();
    let mut cache = PageCache::default();
    let pages = &[(); 6].map(|()| kernel.take_page(&mut cache).unwrap());
    thread::scope(|scope| {
        for id in 0..CPUS as u64 {
            let cpu = machine.vcpu().unwrap();
            scope.spawn(move || {
                let cache = &mut PageCache::default();
                for round in 0..ROUNDS {
                    let pmap = kernel.create(&cpu, cache).unwrap();
                    for (at, page) in pages.iter().enumerate() {
                        let va = Va(VA.0 + ((at as u64 * 300) << 12));
                        kernel.enter(&cpu, cache, pmap, va, *page, true).unwrap();
                    }
                    let child = kernel.fork(&cpu, cache, pmap).unwrap();
                    let page = pages[((round + id) % 6) as usize];
                    kernel.page_remove(&cpu, cache, page).unwrap();
                    kernel.clear_attrs(&cpu, page, Pte::A).unwrap();
                    kernel.destroy(&cpu, cache, pmap).unwrap();
                    kernel.destroy(&cpu, cache, child).unwrap();
                }
                kernel.drain(cache);
            });
        }
        for _ in 0..20 {
            let _ = suspend(&mut suspender, kernel, Mode::Fresh).unwrap();
            thread::yield_now();
        }
    });
    assert!(pages.iter().all(|page| kernel.mappings(*page).is_empty()));
    assert_sound(&machine, &suspender, kernel);
}
