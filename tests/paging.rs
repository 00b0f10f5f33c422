//! The same kernel on both kinds of guest that today's Xen runs, 64-bit and PAE: its windows, what a save
//! must put away, and what is refused to a PAE guest alone.

use ptom::backend::Native;
use ptom::pmap::{
    Alternate, Kernel, Layout, PageCache, PmapError, PmapId, Range, Touch, User, Way,
};
use ptom::scheme::percpu::PerCpu;
use ptom::suspend::{SuspendError, pre_suspend, suspend};
use ptom::xen::frame::Type;
use ptom::xen::mmuext::MmuextOp;
use ptom::xen::save::Failed;
use ptom::xen::{
    Access, Config, Domid, Era, Errno, Machine, Mfn, Mmu, MmuUpdate, Mode, NewPte, Outcome, Paging,
    Pfn, Pte, Va, Vcpu,
};

type Scheme = PerCpu<Native>;
type Cpu<'m> = Vcpu<'m, Native, Scheme>;

const BOTH: [Paging; 2] = [Paging::FourLevels, Paging::Pae];
const WINDOWS: [Alternate; 5] = [
    Alternate::Direct,
    Alternate::Lazy,
    Alternate::LazyShot,
    Alternate::Eager,
    Alternate::Load,
];
const MODES: [Mode; 3] = [Mode::Fresh, Mode::Deranged { seed: 3 }, Mode::Cancelled];
const RESUMED: Outcome = Outcome::Resumed { lost_tables: 0 };
/// In the first L1 table, and in the last of a PAE process.
const LOW: Va = Va(0x40_0000);
const HIGH: Va = Va(0xbf7f_f000);

fn machine(paging: Paging, era: Era) -> Machine<Native, Scheme> {
    let machine = Machine::new(Config::new(1024, 4).paged(paging)).unwrap();
    machine.guest().as_of(era);
    machine.guest().with_tlb();
    machine
}

fn boot(cpu: &Cpu<'_>, alternate: Alternate) -> Kernel<Native> {
    let mut kernel = Kernel::boot(cpu, 40).unwrap();
    kernel.reach_by(alternate);
    kernel
}

/// Processes with a page of their own at [`LOW`] and one at [`HIGH`].
fn processes(
    cpu: &Cpu<'_>,
    kernel: &Kernel<Native>,
    cache: &mut PageCache,
    count: usize,
) -> Vec<(PmapId, [Pfn; 2])> {
    let made = (0..count).map(|_| {
        let pmap = kernel.create(cpu, cache).unwrap();
        kernel.load(cpu, pmap).unwrap();
        let pages = [LOW, HIGH].map(|va| {
            let page = kernel.take_page(cache).unwrap();
            kernel.enter(cpu, cache, pmap, va, page, true).unwrap();
            page
        });
        (pmap, pages)
    });
    made.collect()
}

fn assert_mapped(cpu: &Cpu<'_>, kernel: &Kernel<Native>, all: &[(PmapId, [Pfn; 2])], what: &str) {
    for (pmap, pages) in all {
        let seen = [LOW, HIGH].map(|va| kernel.extract(cpu, *pmap, va));
        assert_eq!(seen, pages.map(Some), "{what}: {pmap:?}");
    }
}

fn assert_sound(machine: &Machine<Native, Scheme>) {
    assert_eq!(machine.guest().broken(), []);
    let verdicts = machine.guest().verdicts();
    let wrong = (verdicts.stale_uses, verdicts.wrong_frame, verdicts.faults);
    assert_eq!(wrong, (0, 0, 0));
}

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
fn a_guest_is_suspended_and_comes_back_whole() {
    for paging in BOTH {
        for (alternate, mode) in WINDOWS.into_iter().flat_map(|w| MODES.map(|m| (w, m))) {
            let machine = machine(paging, Era::Before2017);
            let mut cpu = machine.vcpu().unwrap();
            let kernel = boot(&cpu, alternate);
            let mut cache = PageCache::default();
            let mut all = processes(&cpu, &kernel, &mut cache, 4);
            let what = format!("{paging:?} {alternate:?} {mode:?}");
            // One is cached, one is loaded, and whatever a window leaves is left.
            let (cached, _) = all.remove(3);
            kernel.destroy(&cpu, &mut cache, cached).unwrap();
            kernel.load(&cpu, all[0].0).unwrap();
            assert_mapped(&cpu, &kernel, &all, &what);
            for _ in 0..2 {
                let outcome = suspend(&mut cpu, &kernel, mode).unwrap();
                let expected = match mode {
                    Mode::Cancelled => Outcome::Cancelled,
                    Mode::Fresh | Mode::Deranged { .. } => RESUMED,
                };
                assert_eq!(outcome, expected, "{what}");
                assert_eq!(kernel.broken(&cpu), [], "{what}");
                assert_mapped(&cpu, &kernel, &all, &what);
                let (pmap, pages) = processes(&cpu, &kernel, &mut cache, 1)[0];
                assert_mapped(&cpu, &kernel, &[(pmap, pages)], &what);
                kernel.load(&cpu, all[0].0).unwrap();
                kernel.destroy(&cpu, &mut cache, pmap).unwrap();
            }
            assert_sound(&machine);
        }
    }
}

#[test]
fn a_save_empties_recursive_slots_with_pae_and_leaves_them_on_amd64() {
    // shared_info; and two batches more with PAE, which undoing needs as well.
    for (paging, calls) in BOTH.into_iter().zip([1, 2]) {
        let machine = machine(paging, Era::Now);
        let mut cpu = machine.vcpu().unwrap();
        let kernel = boot(&cpu, Alternate::Direct);
        processes(&cpu, &kernel, &mut PageCache::default(), 5);
        assert_eq!(kernel.carries_recursive(), paging == Paging::FourLevels);
        let before = machine.guest().verdicts().hypercalls;
        let suspending = pre_suspend(&mut cpu, &kernel).unwrap();
        let made = machine.guest().verdicts().hypercalls - before;
        assert_eq!(made, calls, "{paging:?}");
        suspending.post_suspend(Outcome::Cancelled).unwrap();
        let after = machine.guest().verdicts().hypercalls - before;
        assert_eq!(after, 2 * calls, "{paging:?}");
    }
}

/// A suspend without a step or two of the protocol, with one process that is loaded if it is.
fn without(paging: Paging, loaded: bool, emptied: bool) -> Result<Outcome, Failed> {
    let machine = machine(paging, Era::Now);
    let mut cpu = machine.vcpu().unwrap();
    let kernel = boot(&cpu, Alternate::Direct);
    let all = processes(&cpu, &kernel, &mut PageCache::default(), 1);
    if !loaded {
        kernel.load_kernel(&cpu).unwrap();
    }
    let shared_info = Layout::of(paging).shared_info();
    let unmapped = cpu
        .hold()
        .access()
        .update_va_mapping(shared_info, NewPte::ZERO);
    unmapped.unwrap();
    let mut world = cpu.suspend();
    if emptied {
        kernel.clear_recursive(&world).unwrap();
    }
    world.canonicalise_rings();
    let register = world.start_info().unwrap();
    let outcome = world.hypercall(register, Mode::Fresh)?;
    if emptied {
        kernel.restore_recursive(&world).unwrap();
    }
    drop(world);
    assert_mapped(&cpu, &kernel, &all, "emptied or not");
    Ok(outcome)
}

#[test]
fn paes_recursive_slots_left_set_fail_the_restore() {
    // The third L2 is validated before the last one, which it names, has become one: an L1 table then, and
    // no root's last L2 any more.
    for (loaded, failed) in [(true, Failed::Load), (false, Failed::Pin)] {
        assert_eq!(without(Paging::Pae, loaded, false), Err(failed));
        assert_eq!(without(Paging::Pae, loaded, true), Ok(RESUMED));
        for emptied in [false, true] {
            assert_eq!(without(Paging::FourLevels, loaded, emptied), Ok(RESUMED));
        }
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

#[test]
fn no_stream_is_written_of_a_pae_guest_and_it_goes_on() {
    let machine = machine(Paging::Pae, Era::Now);
    let mut cpu = machine.vcpu().unwrap();
    let kernel = boot(&cpu, Alternate::Direct);
    let all = processes(&cpu, &kernel, &mut PageCache::default(), 1);
    let mut suspending = pre_suspend(&mut cpu, &kernel).unwrap();
    let refused = suspending.hypercall_by(Mode::Fresh, |stream| stream);
    assert_eq!(refused, Err(SuspendError::Tools(Failed::Width)));
    suspending.post_suspend(Outcome::Cancelled).unwrap();
    assert_mapped(&cpu, &kernel, &all, "not saved");
    assert_sound(&machine);
}

/// Unused pages, zeroed.
const ROOT: Pfn = Pfn(900);
const L2S: [Pfn; 4] = [Pfn(901), Pfn(902), Pfn(903), Pfn(904)];
const OTHER: Pfn = Pfn(910);

/// Runs `check` in a PAE guest with a root made of those pages that is none yet.
fn with_root(check: impl FnOnce(Access<'_, Native>)) {
    let machine = machine(Paging::Pae, Era::Now);
    let cpu = machine.vcpu().unwrap();
    let _kernel = boot(&cpu, Alternate::Direct);
    let hold = cpu.hold();
    for (at, l2) in L2S.into_iter().enumerate() {
        set(hold.access(), ROOT, at, Some(l2), Pte::P).unwrap();
    }
    check(hold.access());
    drop(hold);
    assert_eq!(machine.guest().broken(), []);
}

/// Writes an entry that names a page, or nothing.
fn set(
    access: Access<'_, Native>,
    table: Pfn,
    index: usize,
    named: Option<Pfn>,
    flags: u64,
) -> Result<(), Errno> {
    let entry = access.mfn(table).unwrap().entry(index);
    let val = named.map(|page| NewPte::map(access.mfn(page).unwrap(), flags));
    let update = MmuUpdate::normal(entry, val.unwrap_or(NewPte::ZERO));
    let done = access.mmu_update(&[update]);
    done.map(drop).map_err(|refused| refused.errno)
}

fn pin(access: Access<'_, Native>, page: Pfn, level: u32) -> Result<(), Errno> {
    let pinned = access.pin(access.mfn(page).unwrap(), level);
    pinned.map_err(|refused| refused.errno)
}

fn word(access: Access<'_, Native>, table: Pfn, index: usize) -> Pte {
    access.read(access.mfn(table).unwrap(), index).pte()
}

#[test]
fn a_pae_root_is_whole_or_none() {
    with_root(|access| {
        set(access, ROOT, 3, None, 0).unwrap();
        assert_eq!(pin(access, ROOT, 3), Err(Errno::Inval), "no last L2");
        set(access, ROOT, 3, Some(L2S[3]), Pte::P).unwrap();
        set(access, ROOT, 0, None, 0).unwrap();
        // What the guest has behind the four is gone afterwards.
        set(access, ROOT, 4, Some(OTHER), Pte::P).unwrap();
        assert_eq!(pin(access, ROOT, 3), Ok(()), "any other may be missing");
        assert_eq!(word(access, ROOT, 4), Pte(0));
        assert_eq!(word(access, ROOT, 1).flags(), Pte::P | Pte::RW | Pte::US);
        let root = access.mfn(ROOT).unwrap();
        access.unpin(root).unwrap();
        assert_eq!(word(access, ROOT, 1).flags(), Pte::P);
    });
}

#[test]
fn its_last_entry_stays() {
    with_root(|access| {
        pin(access, ROOT, 3).unwrap();
        set(access, ROOT, 2, None, 0).unwrap();
        set(access, ROOT, 2, Some(OTHER), Pte::P).unwrap();
        for (index, named) in [(3, None), (3, Some(L2S[3])), (3, Some(OTHER)), (4, None)] {
            let got = set(access, ROOT, index, named, Pte::P);
            assert_eq!(got, Err(Errno::Inval), "{index} {named:?}");
        }
        for flag in [Pte::NX, Pte::G, Pte::PWT, Pte::PSE, 1 << 52] {
            let got = set(access, ROOT, 1, Some(L2S[1]), Pte::P | flag);
            assert_eq!(got, Err(Errno::Inval), "{flag:#x}");
        }
    });
}

#[test]
fn its_last_l2_is_of_a_type_of_its_own() {
    with_root(|access| {
        pin(access, ROOT, 3).unwrap();
        let kind = |page| {
            let mfn = access.mfn(page).unwrap().raw();
            access.guest().host().frame(mfn).kind()
        };
        assert_eq!(L2S.map(kind), [Type::L2, Type::L2, Type::L2, Type::XenL2]);
        assert_eq!(pin(access, L2S[3], 2), Err(Errno::Inval));
        assert_eq!(pin(access, L2S[2], 2), Ok(()));
        let first = set(access, ROOT, 0, Some(L2S[3]), Pte::P);
        assert_eq!(first, Err(Errno::Inval), "by another entry");
        // Xen's part of it begins where NetBSD says, and nobody else's L2 has one.
        let xens = Layout::of(Paging::Pae).xen.start % 512;
        assert!(word(access, L2S[3], xens).present());
        assert!(!word(access, L2S[2], xens).present());
        for (at, table, expected) in [
            (xens, L2S[3], Err(Errno::Perm)),
            (511, L2S[3], Err(Errno::Perm)),
            (xens - 1, L2S[3], Ok(())),
            (xens, L2S[2], Ok(())),
        ] {
            assert_eq!(
                set(access, table, at, Some(OTHER), Pte::P),
                expected,
                "{at}"
            );
        }
    });
}

#[test]
fn no_two_roots_share_it() {
    with_root(|access| {
        pin(access, ROOT, 3).unwrap();
        for (last, expected) in [(L2S[3], Err(Errno::Inval)), (Pfn(905), Ok(()))] {
            for (at, l2) in [L2S[0], L2S[1], L2S[2], last].into_iter().enumerate() {
                set(access, OTHER, at, Some(l2), Pte::P).unwrap();
            }
            assert_eq!(pin(access, OTHER, 3), expected, "{last:?}");
        }
    });
}

#[test]
fn nor_is_it_anything_else_before() {
    for (prepared, expected) in [
        (None, Ok(())),
        (Some(2), Err(Errno::Inval)),
        (Some(1), Err(Errno::Inval)),
    ] {
        with_root(|access| {
            if let Some(level) = prepared {
                pin(access, L2S[3], level).unwrap();
            }
            assert_eq!(pin(access, ROOT, 3), expected, "pinned as {prepared:?}");
        });
    }
}

#[test]
fn a_linear_entry_raises_its_count_and_no_root_names_another() {
    with_root(|access| {
        pin(access, ROOT, 3).unwrap();
        let shared = |access: Access<'_, Native>| {
            let mfn = access.mfn(L2S[3]).unwrap().raw();
            access.guest().host().frame(mfn).type_count()
        };
        assert_eq!(shared(access), 1);
        set(access, L2S[2], 511, Some(L2S[3]), Pte::P).unwrap();
        assert_eq!(shared(access), 2, "NetBSD keeps a copy of it for that");
        assert_eq!(set(access, ROOT, 0, Some(ROOT), Pte::P), Err(Errno::Inval));
    });
}

#[test]
fn there_is_no_fourth_level_and_no_user_root() {
    with_root(|access| {
        assert_eq!(pin(access, OTHER, 4), Ok(()), "ignored");
        let mfn = access.mfn(OTHER).unwrap();
        assert_eq!(access.guest().host().frame(mfn.raw()).type_count(), 0);
        let user = MmuextOp {
            command: 15,
            arg1: access.mfn(ROOT).unwrap().raw().0,
            arg2: 0,
        };
        let refused = access.raw().mmuext_op([Some(user)], None, Domid::SELF);
        assert_eq!(refused, Errno::Inval as i64, "MMUEXT_NEW_USER_BASEPTR");
        let end = Layout::of(Paging::Pae).base(1964);
        for va in [end, Va(1 << 32), Va(u64::MAX << 12)] {
            assert!(access.peek(va).is_err(), "{va:?}");
        }
    });
}
