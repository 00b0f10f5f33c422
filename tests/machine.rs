//! The simulated machine by itself: pmaps, Xen's verdicts, suspends; one thread, no races.

use ptom::backend::Native;
use ptom::pmap::{KERNEL_SLOT, Kernel, PageCache, PmapError, PmapId, Range};
use ptom::scheme::percpu::PerCpu;
use ptom::suspend::{pre_suspend, suspend};
use ptom::xen::{
    Config, Errno, Flush, Machine, Mfn, Mmu, MmuUpdate, Mode, NewPte, Outcome, Pfn, Pte, RawMfn,
    Va, Vcpu,
};

type Scheme = PerCpu<Native>;
type Cpu<'m> = Vcpu<'m, Native, Scheme>;

const PAGES: u64 = 2048;
/// The kernel's own L1 table: its fourth page after those that every guest has.
const KERNEL_L1: u64 = 6;

fn machine() -> Machine<Native, Scheme> {
    Machine::new(Config::new(PAGES, 4)).unwrap()
}

/// A process with pages at the given page numbers.
fn process(
    cpu: &Cpu<'_>,
    kernel: &Kernel<Native>,
    cache: &mut PageCache,
    pages: &[u64],
) -> (PmapId, Vec<Pfn>) {
    let pmap = kernel.create(cpu, cache).unwrap();
    let mut frames = Vec::new();
    for page in pages {
        let pfn = kernel.take_page(cache).unwrap();
        kernel
            .enter(cpu, cache, pmap, Va::of_page(*page), pfn, true)
            .unwrap();
        frames.push(pfn);
    }
    (pmap, frames)
}

const SPREAD: [u64; 5] = [1, 2, 513, 0x7_f000, 0x7_ef00_0000];

fn assert_sound(machine: &Machine<Native, Scheme>) {
    let verdicts = machine.guest().verdicts();
    assert!(verdicts.clean(), "{verdicts:?}");
    assert_eq!(machine.guest().broken_invariants(), 0);
}

fn every_mfn(cpu: &Cpu<'_>) -> Vec<RawMfn> {
    let hold = cpu.hold();
    (0..PAGES)
        .map(|p| hold.mfn(Pfn(p)).unwrap().raw())
        .collect()
}

#[test]
fn a_process_lives_and_dies() {
    let machine = machine();
    let cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 4).unwrap();
    let mut cache = PageCache::default();
    let (pmap, frames) = process(&cpu, &kernel, &mut cache, &SPREAD);
    for (page, pfn) in SPREAD.iter().zip(&frames) {
        assert_eq!(kernel.extract(&cpu, pmap, Va::of_page(*page)), Some(*pfn));
    }
    assert_eq!(kernel.extract(&cpu, pmap, Va::of_page(3)), None);
    assert_sound(&machine);
    kernel.load(&cpu, pmap).unwrap();
    let first = Range {
        page: 0,
        pages: 512,
    };
    kernel.remove(&cpu, &mut cache, pmap, first).unwrap();
    assert_eq!(kernel.extract(&cpu, pmap, Va::of_page(1)), None);
    assert_eq!(
        kernel.extract(&cpu, pmap, Va::of_page(513)),
        Some(frames[2])
    );
    assert_sound(&machine);
    kernel.destroy(&cpu, &mut cache, pmap).unwrap();
    for pfn in frames {
        kernel.give_page(&mut cache, pfn);
    }
    assert_sound(&machine);
    // Every page is free again, once the cache of roots lets go: a process can have them all but the
    // tables'.
    assert_eq!(kernel.reap(&cpu, &mut cache), Ok(1));
    kernel.drain(&mut cache);
    let mut free = 0;
    while kernel.take_page(&mut cache).is_ok() {
        free += 1;
    }
    assert_eq!(free, PAGES - 3 - 4 - (2 + PAGES.div_ceil(512)));
}

#[test]
fn a_process_ends_where_its_page_tables_appear() {
    let machine = machine();
    let cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 4).unwrap();
    let mut cache = PageCache::default();
    let last = (255 << 27) - 1;
    let (pmap, frames) = process(&cpu, &kernel, &mut cache, &[1, last]);
    for page in [last + 1, 256 << 27, 320 << 27, u64::MAX >> 12] {
        let va = Va::of_page(page);
        let entered = kernel.enter(&cpu, &mut cache, pmap, va, frames[0], true);
        assert_eq!(entered, Err(PmapError::Nothing), "{page:x}");
        let pages = u64::MAX;
        let beyond = Range { page, pages };
        kernel.protect(&cpu, pmap, beyond, false).unwrap();
        kernel.remove(&cpu, &mut cache, pmap, beyond).unwrap();
    }
    for (page, pfn) in [1, last].iter().zip(&frames) {
        assert_eq!(kernel.extract(&cpu, pmap, Va::of_page(*page)), Some(*pfn));
    }
    let across = Range {
        page: last,
        pages: 2,
    };
    kernel.remove(&cpu, &mut cache, pmap, across).unwrap();
    assert_eq!(kernel.extract(&cpu, pmap, Va::of_page(last)), None);
    assert_eq!(
        kernel.extract(&cpu, pmap, Va::of_page(1)),
        Some(frames[0]),
        "its table appears just beyond"
    );
    assert_sound(&machine);
}

#[test]
fn fork_shares_pages_read_only() {
    let machine = machine();
    let cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 4).unwrap();
    let mut cache = PageCache::default();
    let (parent, frames) = process(&cpu, &kernel, &mut cache, &SPREAD);
    let child = kernel.fork(&cpu, &mut cache, parent).unwrap();
    for (page, pfn) in SPREAD.iter().zip(&frames) {
        for pmap in [parent, child] {
            assert_eq!(kernel.extract(&cpu, pmap, Va::of_page(*page)), Some(*pfn));
        }
    }
    assert_sound(&machine);
    kernel.destroy(&cpu, &mut cache, parent).unwrap();
    assert_eq!(kernel.extract(&cpu, child, Va::of_page(1)), Some(frames[0]));
    let all = Range { page: 1, pages: 2 };
    kernel.protect(&cpu, child, all, true).unwrap();
    kernel.destroy(&cpu, &mut cache, child).unwrap();
    assert_sound(&machine);
}

#[test]
fn every_page_moves_and_stays_where_it_was() {
    for mode in [
        Mode::Fresh,
        Mode::Deranged { seed: 7 },
        Mode::Fresh,
        Mode::Deranged { seed: 8 },
        Mode::Deranged { seed: 9 },
    ] {
        let machine = machine();
        let mut cpu = machine.vcpu().unwrap();
        let kernel = Kernel::boot(&cpu, 4).unwrap();
        let mut cache = PageCache::default();
        let (pmap, frames) = process(&cpu, &kernel, &mut cache, &SPREAD);
        kernel.load(&cpu, pmap).unwrap();
        for round in 1..=3 {
            let before = every_mfn(&cpu);
            let outcome = suspend(&mut cpu, &kernel, mode).unwrap();
            assert_eq!(outcome, Outcome::Resumed { lost_tables: 0 });
            let after = every_mfn(&cpu);
            assert!(before.iter().zip(&after).all(|(b, a)| b != a), "{mode:?}");
            for (page, pfn) in SPREAD.iter().zip(&frames) {
                assert_eq!(kernel.extract(&cpu, pmap, Va::of_page(*page)), Some(*pfn));
            }
            assert_eq!(machine.guest().domain().suspends(), round);
            assert_sound(&machine);
        }
    }
}

#[test]
fn a_cancelled_suspend_changes_nothing() {
    let machine = machine();
    let mut cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 4).unwrap();
    let mut cache = PageCache::default();
    let (pmap, frames) = process(&cpu, &kernel, &mut cache, &SPREAD);
    let rings = || machine.guest().rings();
    let (mfns, store) = (every_mfn(&cpu), rings());
    let outcome = suspend(&mut cpu, &kernel, Mode::Cancelled).unwrap();
    assert_eq!(outcome, Outcome::Cancelled);
    assert_eq!(mfns, every_mfn(&cpu));
    assert_eq!(store, rings(), "the rings are MFNs again");
    assert_eq!(kernel.extract(&cpu, pmap, Va::of_page(1)), Some(frames[0]));
    assert_sound(&machine);
}

#[test]
fn an_entry_left_behind_costs_its_whole_table() {
    let machine = machine();
    let mut cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 4).unwrap();
    let neighbour = |cpu: &Cpu<'_>| {
        let hold = cpu.hold();
        let l1 = hold.mfn(Pfn(KERNEL_L1)).unwrap();
        hold.access().read(l1, 1).pte().present()
    };
    {
        let hold = cpu.hold();
        let entry = NewPte::map(hold.mfn(Pfn(100)).unwrap(), Pte::P);
        let va = Va((KERNEL_SLOT as u64) << 39 | 1 << 12);
        hold.access()
            .update_va_mapping(va, entry, Flush::PAGE)
            .unwrap();
    }
    assert!(neighbour(&cpu));
    // The scheme's suspend without the protocol: shared_info, which has no PFN, is still mapped.
    let mut world = cpu.suspend();
    world.canonicalise_rings();
    let register = world.start_info().unwrap();
    let outcome = world.hypercall(register, Mode::Fresh).unwrap();
    assert_eq!(outcome, Outcome::Resumed { lost_tables: 1 });
    drop(world);
    assert!(
        !neighbour(&cpu),
        "a good entry of the same table is gone too"
    );
    drop(kernel);
}

#[test]
fn the_suspender_translates() {
    let machine = machine();
    let mut cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 4).unwrap();
    let mut cache = PageCache::default();
    let (pmap, frames) = process(&cpu, &kernel, &mut cache, &SPREAD);
    let mut suspending = pre_suspend(&mut cpu, &kernel).unwrap();
    assert_eq!(
        kernel.extract(&suspending, pmap, Va::of_page(1)),
        Some(frames[0])
    );
    let outcome = suspending.hypercall(Mode::Fresh).unwrap();
    assert_eq!(
        kernel.extract(&suspending, pmap, Va::of_page(2)),
        Some(frames[1])
    );
    suspending.post_suspend(outcome).unwrap();
    assert_sound(&machine);
}

/// Writes one entry of a fresh, pinned L1 table.
fn verdict_of(
    flags: u64,
    target: impl for<'g> Fn(Mfn<'g>, Mfn<'g>) -> Mfn<'g>,
) -> Result<(), Errno> {
    let machine = machine();
    let cpu = machine.vcpu().unwrap();
    let hold = cpu.hold();
    let [table, data] = [10, 11].map(|p| hold.mfn(Pfn(p)).unwrap());
    hold.access().pin(table, 1).unwrap();
    let update = MmuUpdate::normal(table.entry(5), NewPte::map(target(table, data), flags));
    let verdict = hold.access().mmu_update(&[update]);
    let read = hold.access().read(table, 5).pte();
    assert_eq!(read.present(), verdict.is_ok() && flags & Pte::P != 0);
    verdict.map(drop).map_err(|refused| refused.errno)
}

#[test]
fn xen_says_what_xen_says() {
    let own = |flags| verdict_of(flags, |_, data| data);
    let itself = |flags| verdict_of(flags, |table, _| table);
    assert_eq!(own(Pte::P | Pte::RW | Pte::US), Ok(()));
    assert_eq!(own(0), Ok(()), "what is not present is not checked");
    for forbidden in [Pte::PWT, Pte::PCD, Pte::PSE] {
        assert_eq!(own(Pte::P | forbidden), Err(Errno::Inval));
    }
    assert_eq!(itself(Pte::P | Pte::RW), Err(Errno::Busy));
    assert_eq!(itself(Pte::P), Ok(()), "a table may be mapped read-only");
}

#[test]
fn a_table_mapped_writable_is_no_table() {
    let machine = machine();
    let cpu = machine.vcpu().unwrap();
    let hold = cpu.hold();
    let access = hold.access();
    let [l1, page] = [10, 11].map(|p| hold.mfn(Pfn(p)).unwrap());
    access.pin(l1, 1).unwrap();
    let map = |flags| MmuUpdate::normal(l1.entry(0), NewPte::map(page, flags));
    access.mmu_update(&[map(Pte::P | Pte::RW)]).unwrap();
    assert_eq!(access.pin(page, 2).unwrap_err().errno, Errno::Inval);
    access.mmu_update(&[map(Pte::P)]).unwrap();
    access.pin(page, 2).unwrap();
    assert_eq!(access.pin(page, 2).unwrap_err().errno, Errno::Inval);
    access.unpin(page).unwrap();
    assert_eq!(access.unpin(page).unwrap_err().errno, Errno::Inval);
    // Untyped again, it takes a store without a word: Xen writes what it is told.
    let stray = MmuUpdate::normal(page.entry(3), NewPte::map(l1, Pte::P | Pte::RW));
    access.mmu_update(&[stray]).unwrap();
    // And is then no valid table: its entry would map one writable.
    assert_eq!(access.pin(page, 1).unwrap_err().errno, Errno::Busy);
    drop(hold);
    assert_eq!(machine.guest().broken_invariants(), 0);
}

#[test]
fn flags_are_stored_as_xen_stores_them() {
    let machine = machine();
    let cpu = machine.vcpu().unwrap();
    let hold = cpu.hold();
    let access = hold.access();
    let [l1, l2, data] = [10, 12, 11].map(|p| hold.mfn(Pfn(p)).unwrap());
    access.pin(l1, 1).unwrap();
    access.pin(l2, 2).unwrap();
    let mut stored = Vec::new();
    for (table, target, flags) in [(l1, data, 1), (l1, data, 7), (l2, l1, 3)] {
        let update = MmuUpdate::normal(table.entry(1), NewPte::map(target, flags));
        access.mmu_update(&[update]).unwrap();
        stored.push(access.read(table, 1).pte().flags());
    }
    assert_eq!(
        stored,
        [1 | Pte::US | Pte::GUEST_KERNEL, 7 | Pte::G, 3 | Pte::US]
    );
}
