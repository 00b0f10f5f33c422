//! What the kernel does all day, on both: through every window, where Xen lets there be one.

use crate::*;
use ptom::pmap::{Layout, PmapError, Range, Touch, User, Way};
use ptom::xen::{Access, Errno, Mfn, Mmu};

#[test]
fn the_operations_do_the_same_through_every_window() {
    for (paging, alternate) in BOTH.into_iter().flat_map(|p| WINDOWS.map(|w| (p, w))) {
        let machine = machine(paging, Era::Before2017);
        let cpu = machine.vcpu().unwrap();
        let kernel = boot(&cpu, alternate);
        let mut cache = PageCache::default();
        let mut all = processes(&cpu, &kernel, &mut cache, 3);
        let what = format!("{paging:?} {alternate:?}");
        for home in all.clone() {
            kernel.load(&cpu, home.0).unwrap();
            assert_mapped(&cpu, &kernel, &all, &what);
        }
        let (parent, pages) = all[1];
        let child = kernel.fork(&cpu, &mut cache, parent).unwrap();
        all.push((child, pages));
        assert_mapped(&cpu, &kernel, &all, &what);
        let range = Range {
            page: LOW.0 >> 12,
            pages: 1 << 30,
        };
        kernel.protect(&cpu, parent, range, true).unwrap();
        kernel.remove(&cpu, &mut cache, parent, range).unwrap();
        assert_eq!(kernel.extract(&cpu, parent, HIGH), None, "{what}");
        assert_eq!(kernel.extract(&cpu, child, HIGH), Some(pages[1]), "{what}");
        kernel.load_kernel(&cpu).unwrap();
        for (pmap, _) in all {
            kernel.destroy(&cpu, &mut cache, pmap).unwrap();
        }
        assert_eq!(kernel.slots_set(&cpu), 0, "{what}");
        assert_eq!(kernel.reap(&cpu, &mut cache), Ok(4), "{what}");
        assert_sound(&machine);
    }
}

#[test]
fn what_lies_beyond_a_process_is_not_its_own() {
    for paging in BOTH {
        let machine = machine(paging, Era::Now);
        let cpu = machine.vcpu().unwrap();
        let kernel = boot(&cpu, Alternate::Direct);
        let mut cache = PageCache::default();
        let (pmap, [page, _]) = processes(&cpu, &kernel, &mut cache, 1)[0];
        let end = Layout::of(paging).process_end();
        for (at, entered) in [
            (end - 1, Ok(())),
            (end, Err(PmapError::Nothing)),
            (
                Layout::of(paging).shared_info().page(),
                Err(PmapError::Nothing),
            ),
        ] {
            let got = kernel.enter(&cpu, &mut cache, pmap, Va::of_page(at), page, false);
            assert_eq!(got, entered, "{paging:?} {at:#x}");
        }
        assert_sound(&machine);
    }
}

#[test]
fn a_directory_appears_in_its_own_recursive_slots() {
    for paging in BOTH {
        let machine = machine(paging, Era::Now);
        let cpu = machine.vcpu().unwrap();
        let kernel = boot(&cpu, Alternate::Lazy);
        let (pmap, _) = processes(&cpu, &kernel, &mut PageCache::default(), 1)[0];
        assert_eq!(kernel.broken(&cpu), [], "{paging:?}");
        let hold = cpu.hold();
        let layout = Layout::of(paging);
        let directory = directory(hold.access(), &kernel, pmap);
        let mut window = kernel.map_ptes(hold.access(), pmap, User::Extract).unwrap();
        let seen: Vec<_> = (0..layout.pages)
            .map(|at| {
                window
                    .root_entry(layout.recursive + at)
                    .unwrap()
                    .pte()
                    .mfn()
            })
            .collect();
        let expected: Vec<_> = directory.iter().map(|page| page.raw()).collect();
        assert_eq!(seen, expected, "{paging:?}");
        window.unmap().unwrap();
    }
}

/// The pages of a pmap's directory.
fn directory<'g>(
    access: Access<'g, Native>,
    kernel: &Kernel<Native>,
    pmap: PmapId,
) -> Vec<Mfn<'g>> {
    let root = access.mfn(kernel.root(pmap)).unwrap();
    match Layout::of(access.guest().paging()).pages {
        1 => vec![root],
        pages => (0..pages)
            .map(|at| access.read(root, at).mfn().unwrap())
            .collect(),
    }
}

#[test]
fn todays_xen_lets_no_pae_directory_into_an_alternate_slot() {
    // The third L2 names the others, so nothing may name it; and the last is named by it, so it may name
    // nothing. From the kernel's own root, which has no recursive slots, two slots are set, and then emptied.
    for (own, paging) in [false, true]
        .into_iter()
        .flat_map(|own| BOTH.map(|p| (own, p)))
    {
        let machine = machine(paging, Era::Now);
        let cpu = machine.vcpu().unwrap();
        let kernel = boot(&cpu, Alternate::Lazy);
        let all = processes(&cpu, &kernel, &mut PageCache::default(), 2);
        match own {
            true => kernel.load_kernel(&cpu).unwrap(),
            false => kernel.load(&cpu, all[0].0).unwrap(),
        }
        let hold = cpu.hold();
        let looked = kernel.map_ptes(hold.access(), all[1].0, User::Extract);
        let looked = looked.and_then(|window| window.unmap().map(drop));
        if paging == Paging::Pae {
            assert_eq!(looked.unwrap_err().errno(), Some(Errno::Inval));
            assert_eq!(kernel.touched(User::Extract, Touch::Refused), 1);
        } else {
            assert_eq!(looked, Ok(()));
        }
        drop(hold);
        let set = u64::from(paging == Paging::FourLevels);
        assert_eq!(kernel.slots_set(&cpu), set, "{paging:?} {own}");
        kernel.sweep(&cpu, Way::DirtyList).unwrap();
        assert_sound(&machine);
    }
}

#[test]
fn every_sweep_finds_the_slots() {
    for (paging, way) in BOTH.into_iter().flat_map(|p| Way::ALL.map(|w| (p, w))) {
        let machine = machine(paging, Era::Before2017);
        let cpu = machine.vcpu().unwrap();
        let kernel = boot(&cpu, Alternate::Lazy);
        let all = processes(&cpu, &kernel, &mut PageCache::default(), 3);
        for (home, other) in [(0, 1), (1, 2)] {
            kernel.load(&cpu, all[home].0).unwrap();
            assert_eq!(
                kernel.extract(&cpu, all[other].0, LOW),
                Some(all[other].1[0])
            );
        }
        kernel.load_kernel(&cpu).unwrap();
        kernel.sweep(&cpu, way).unwrap();
        let left = if way == Way::PerCpu { 2 } else { 0 };
        assert_eq!(kernel.slots_set(&cpu), left, "{paging:?} {way:?}");
        assert_eq!(machine.guest().broken(), []);
    }
}

#[test]
fn the_kernels_own_mappings_are_seen_from_every_root() {
    for paging in BOTH {
        let machine = machine(paging, Era::Now);
        let cpu = machine.vcpu().unwrap();
        let kernel = boot(&cpu, Alternate::Direct);
        let mut cache = PageCache::default();
        let all = processes(&cpu, &kernel, &mut cache, 2);
        let page = kernel.take_page(&mut cache).unwrap();
        cpu.hold().access().fill(page, 77);
        let kva = Layout::of(paging).kva();
        let first = Va::of_page(kva.page + 3);
        let enter = |cache: &mut PageCache, va| kernel.kenter(&cpu, cache, va, &[page], false);
        enter(&mut cache, first).unwrap();
        for (pmap, _) in all {
            kernel.load(&cpu, pmap).unwrap();
            assert_eq!(cpu.hold().access().peek(first), Ok(77), "{paging:?}");
        }
        enter(&mut cache, Va::of_page(kva.page + kva.pages - 1)).unwrap();
        let beyond = enter(&mut cache, Va::of_page(kva.page + kva.pages));
        assert_eq!(beyond, Err(PmapError::NotKernels));
        assert_sound(&machine);
    }
}
