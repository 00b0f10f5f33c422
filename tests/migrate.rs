//! Live migration between two hosts: rounds, what is put off, and what the guest finds when it wakes.

use ptom::backend::Native;
use ptom::pmap::{Kernel, PageCache, PmapId, Range};
use ptom::scheme::percpu::PerCpu;
use ptom::suspend::{SuspendError, pre_suspend};
use ptom::xen::host::Host;
use ptom::xen::mmuext::MmuextOp;
use ptom::xen::raw::RawUpdate;
use ptom::xen::save::Failed;
use ptom::xen::stream::{MAX_ROUNDS, Migrated, Precopy, Stream, TARGET_DIRTY};
use ptom::xen::{Config, Domid, Machine, Mmu, Mode, Outcome, Pfn, RawMfn, Va, Vcpu};

type Scheme = PerCpu<Native>;
type Cpu<'m> = Vcpu<'m, Native, Scheme>;

const PAGES: u64 = 2048;

fn machine() -> Machine<Native, Scheme> {
    Machine::new(Config::new(PAGES, 4)).unwrap()
}

/// A process with `pages` pages, and what it wrote in each.
struct Process<'k> {
    kernel: &'k Kernel<Native>,
    cache: PageCache,
    pmap: PmapId,
    pages: Vec<(Va, Pfn, u64)>,
    writes: u64,
}

impl<'k> Process<'k> {
    fn new(cpu: &Cpu<'_>, kernel: &'k Kernel<Native>, pages: u64) -> Self {
        let mut cache = PageCache::default();
        let pmap = kernel.create(cpu, &mut cache).unwrap();
        let mut process = Self {
            kernel,
            cache,
            pmap,
            pages: Vec::new(),
            writes: 0,
        };
        (0..pages).for_each(|_| process.grow(cpu));
        process
    }

    /// One page more.
    fn grow(&mut self, cpu: &Cpu<'_>) {
        let va = Va::of_page(3 * self.pages.len() as u64);
        let pfn = self.kernel.take_page(&mut self.cache).unwrap();
        let cache = &mut self.cache;
        let entered = self.kernel.enter(cpu, cache, self.pmap, va, pfn, true);
        entered.unwrap();
        self.pages.push((va, pfn, 0));
        self.write(cpu, self.pages.len() - 1);
    }

    /// Other contents for a page.
    fn write(&mut self, cpu: &Cpu<'_>, at: usize) {
        self.writes += 1;
        let (_, pfn, canary) = &mut self.pages[at];
        *canary = self.writes << 16 | at as u64;
        cpu.hold().access().fill(*pfn, *canary);
    }

    /// Pages that are not where they were, or do not hold what was written last.
    fn wrong(&self, cpu: &Cpu<'_>) -> usize {
        let right = |(va, pfn, canary): &&(Va, Pfn, u64)| {
            self.kernel.extract(cpu, self.pmap, *va) == Some(*pfn)
                && cpu.hold().access().contents(*pfn) == Some(*canary)
        };
        self.pages.iter().filter(|page| !right(page)).count()
    }
}

fn stop_and_copy(
    cpu: &mut Cpu<'_>,
    kernel: &Kernel<Native>,
    precopy: Precopy<'_, Native>,
    mode: Mode,
    to: &Host<Native>,
) -> (Migrated, Vec<u8>) {
    let mut copy = Vec::new();
    let mut suspending = pre_suspend(cpu, kernel).unwrap();
    let migrated = suspending.migrate(precopy, mode, to, |stream| {
        copy.clone_from(&stream);
        stream
    });
    let migrated = migrated.unwrap();
    suspending.post_suspend(migrated.outcome).unwrap();
    (migrated, copy)
}

fn assert_sound(machine: &Machine<Native, Scheme>) {
    let verdicts = machine.guest().verdicts();
    assert!(verdicts.clean(), "{verdicts:?}");
    assert_eq!(machine.guest().broken_invariants(), 0);
}

const RESUMED: Outcome = Outcome::Resumed { lost_tables: 0 };

#[test]
fn a_guest_that_writes_less_and_less_is_moved_in_a_few_rounds() {
    for mode in [Mode::Fresh, Mode::Deranged { seed: 3 }] {
        let machine = machine();
        let mut cpu = machine.vcpu().unwrap();
        let kernel = Kernel::boot(&cpu, 4).unwrap();
        let mut process = Process::new(&cpu, &kernel, 600);
        let other = machine.guest().another_host();
        for migration in 1..=3 {
            let mut precopy = cpu.precopy().unwrap();
            for writes in [400, 100, 20, 5] {
                (0..writes).for_each(|at| process.write(&cpu, at));
                if !precopy.round() {
                    break;
                }
            }
            let before: Vec<_> = precopy.rounds().to_vec();
            assert_eq!(before.len(), 4, "{before:?}");
            // Each round sends what was written since the last one began to be sent.
            let dirty: Vec<u64> = before.iter().map(|round| round.dirty).collect();
            assert_eq!(dirty[1..], [400, 100, 20], "{before:?}");
            assert!(dirty[0] > PAGES && dirty[3] < TARGET_DIRTY, "{before:?}");
            // The kernel's own L1 has shared_info mapped, which has no PFN, until the suspend.
            assert_eq!(before[0].unresolved, 1, "{before:?}");
            (100..103).for_each(|at| process.write(&cpu, at));
            let (migrated, stream) = stop_and_copy(&mut cpu, &kernel, precopy, mode, &other);
            assert_eq!(migrated.outcome, RESUMED);
            let last = migrated.rounds.last().unwrap();
            // Eight data pages, start_info, two roots' recursive slots, and the L1 that was put off.
            assert!((10..16).contains(&last.dirty), "{last:?}");
            assert_eq!((last.unresolved, last.empty), (0, 0), "{last:?}");
            assert_eq!(migrated.octets, stream.len() as u64);
            let read = Stream::read(&stream).unwrap();
            read.walk(read.roots()).unwrap();
            assert_eq!(process.wrong(&cpu), 0);
            assert_sound(&machine);
            assert_eq!(other.owned(), 0, "the host that was left is empty");
            assert_eq!(machine.guest().domain().suspends(), migration);
        }
        kernel
            .destroy(&cpu, &mut process.cache, process.pmap)
            .unwrap();
        assert_sound(&machine);
    }
}

#[test]
fn a_guest_that_never_stops_writing_is_stopped() {
    let machine = machine();
    let mut cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 4).unwrap();
    let mut process = Process::new(&cpu, &kernel, 600);
    let other = machine.guest().another_host();
    let mut precopy = cpu.precopy().unwrap();
    loop {
        (0..TARGET_DIRTY as usize).for_each(|at| process.write(&cpu, at));
        process.grow(&cpu);
        if !precopy.round() {
            break;
        }
    }
    assert_eq!(precopy.rounds().len(), MAX_ROUNDS);
    let (migrated, _) = stop_and_copy(&mut cpu, &kernel, precopy, Mode::Fresh, &other);
    assert_eq!(migrated.outcome, RESUMED);
    assert_eq!(migrated.rounds.len(), MAX_ROUNDS + 1);
    assert_eq!(process.wrong(&cpu), 0);
    assert_sound(&machine);
}

/// Page tables come, change and go between rounds: a page that was sent as the one comes back as the
/// other.
#[test]
fn what_a_page_is_may_change_while_it_is_copied() {
    for mode in [Mode::Fresh, Mode::Deranged { seed: 5 }] {
        let machine = machine();
        let mut cpu = machine.vcpu().unwrap();
        let kernel = Kernel::boot(&cpu, 8).unwrap();
        let mut first = Process::new(&cpu, &kernel, 300);
        let mut second = Process::new(&cpu, &kernel, 10);
        let other = machine.guest().another_host();
        let mut precopy = cpu.precopy().unwrap();
        precopy.round();
        // The pages of the first one's tables become the third one's data, and the other way round.
        kernel.destroy(&cpu, &mut first.cache, first.pmap).unwrap();
        for (_, pfn, _) in &first.pages {
            kernel.give_page(&mut first.cache, *pfn);
        }
        kernel.drain(&mut first.cache);
        kernel.drain(&mut second.cache);
        let mut third = Process::new(&cpu, &kernel, 200);
        kernel.load(&cpu, third.pmap).unwrap();
        precopy.round();
        let gone = Range { page: 0, pages: 9 };
        kernel
            .remove(&cpu, &mut third.cache, third.pmap, gone)
            .unwrap();
        third.pages.drain(..3);
        second.grow(&cpu);
        kernel.protect(&cpu, second.pmap, gone, false).unwrap();
        let (migrated, stream) = stop_and_copy(&mut cpu, &kernel, precopy, mode, &other);
        assert_eq!(migrated.outcome, RESUMED);
        let read = Stream::read(&stream).unwrap();
        read.walk(read.roots()).unwrap();
        assert_eq!((second.wrong(&cpu), third.wrong(&cpu)), (0, 0));
        assert_sound(&machine);
    }
}

/// The twin of the rest: one taking of the marks that the migration does not see, and it shows.
#[test]
fn a_mark_that_is_lost_is_a_write_that_is_lost() {
    for lose in [false, true] {
        let machine = machine();
        let mut cpu = machine.vcpu().unwrap();
        let kernel = Kernel::boot(&cpu, 4).unwrap();
        let mut process = Process::new(&cpu, &kernel, 100);
        let other = machine.guest().another_host();
        let mut precopy = cpu.precopy().unwrap();
        precopy.round();
        (0..7).for_each(|at| process.write(&cpu, at));
        process.grow(&cpu);
        if lose {
            precopy.lose_dirty();
        }
        let (migrated, _) = stop_and_copy(&mut cpu, &kernel, precopy, Mode::Fresh, &other);
        assert_eq!(migrated.outcome, RESUMED);
        let wrong = process.wrong(&cpu);
        assert_eq!(wrong, if lose { 8 } else { 0 });
        assert!(machine.guest().verdicts().clean());
    }
}

/// One entry that does not resolve in the last round, and its table is as old as when it was last sent
/// whole. Nobody is told.
#[test]
fn a_table_that_does_not_resolve_in_the_last_round_comes_back_old() {
    let machine = machine();
    let mut cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 4).unwrap();
    let mut process = Process::new(&cpu, &kernel, 20);
    let other = machine.guest().another_host();
    let mut precopy = cpu.precopy().unwrap();
    precopy.round();
    process.grow(&cpu);
    {
        // The M2P of a page that the table maps says another page.
        let hold = cpu.hold();
        let mfn = hold.mfn(process.pages[3].1).unwrap().raw();
        let machphys = RawUpdate {
            ptr: mfn.0 << 12 | 1,
            val: process.pages[4].1.0,
        };
        let raw = hold.access().raw();
        let whose = Domid::SELF;
        assert_eq!(raw.mmu_update([Some(machphys)], None, whose), 0);
    }
    let (migrated, _) = stop_and_copy(&mut cpu, &kernel, precopy, Mode::Fresh, &other);
    assert_eq!(migrated.outcome, Outcome::Resumed { lost_tables: 1 });
    // All that was there in round 1 is there again; what came since is not.
    let (va, pfn, _) = process.pages.pop().unwrap();
    assert_ne!(kernel.extract(&cpu, process.pmap, va), Some(pfn));
    assert_eq!(process.wrong(&cpu), 0);
}

#[test]
fn a_cancelled_migration_changes_nothing() {
    let machine = machine();
    let mut cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 4).unwrap();
    let mut process = Process::new(&cpu, &kernel, 100);
    let other = machine.guest().another_host();
    let frames = |cpu: &Cpu<'_>| -> Vec<RawMfn> {
        let hold = cpu.hold();
        (0..PAGES)
            .map(|p| hold.mfn(Pfn(p)).unwrap().raw())
            .collect()
    };
    let before = frames(&cpu);
    let mut given_up = cpu.precopy().unwrap();
    given_up.round();
    assert!(matches!(cpu.precopy(), Err(Failed::Logged)));
    drop(given_up);
    let mut precopy = cpu.precopy().unwrap();
    precopy.round();
    process.write(&cpu, 0);
    let (migrated, stream) = stop_and_copy(&mut cpu, &kernel, precopy, Mode::Cancelled, &other);
    assert_eq!(migrated.outcome, Outcome::Cancelled);
    assert!(Stream::read(&stream).is_ok());
    assert_eq!(frames(&cpu), before);
    assert_eq!(process.wrong(&cpu), 0);
    assert_sound(&machine);
    let mut precopy = cpu.precopy().unwrap();
    while precopy.round() {}
    let (migrated, _) = stop_and_copy(&mut cpu, &kernel, precopy, Mode::Fresh, &other);
    assert_eq!(migrated.outcome, RESUMED);
    assert_eq!(process.wrong(&cpu), 0);
    assert_sound(&machine);
}

#[test]
fn a_migration_of_another_guest_is_refused() {
    let (machine, stranger) = (machine(), machine());
    let mut cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 4).unwrap();
    let other = machine.guest().another_host();
    let mut strange = stranger.vcpu().unwrap();
    let precopy = strange.precopy().unwrap();
    let mut suspending = pre_suspend(&mut cpu, &kernel).unwrap();
    let refused = suspending.migrate(precopy, Mode::Fresh, &other, |stream| stream);
    assert!(matches!(
        refused,
        Err(SuspendError::Tools(Failed::OtherGuest))
    ));
    suspending.post_suspend(Outcome::Cancelled).unwrap();
    assert_sound(&machine);
}

/// `mmuext_op`'s commands, by their numbers in the ABI.
const PIN_L1: u32 = 0;
const PIN_L2: u32 = 1;
const UNPIN: u32 = 4;
const CLEAR_PAGE: u32 = 16;
const COPY_PAGE: u32 = 17;

fn extended(cpu: &Cpu<'_>, command: u32, page: Pfn, from: Pfn) {
    let hold = cpu.hold();
    let [arg1, arg2] = [page, from].map(|pfn| hold.mfn(pfn).unwrap().raw().0);
    let op = MmuextOp {
        command,
        arg1,
        arg2,
    };
    let raw = hold.access().raw();
    assert_eq!(raw.mmuext_op([Some(op)], None, Domid::SELF), 0);
}

/// The tables over the process's first page, from the L1 up.
fn tables(cpu: &Cpu<'_>, process: &Process<'_>) -> [Pfn; 4] {
    let hold = cpu.hold();
    let access = hold.access();
    let mut pfn = process.kernel.root(process.pmap);
    let tables = [4, 3, 2, 1].map(|level| {
        let table = pfn;
        let entry = access.read(access.mfn(table).unwrap(), Va(0).index(level));
        pfn = entry.mfn().and_then(|mfn| access.pfn(mfn)).unwrap();
        table
    });
    let [l4, l3, l2, l1] = tables;
    [l1, l2, l3, l4]
}

/// Writes entry `index` of a page; `val` is given what makes a PFN a machine address.
fn update(cpu: &Cpu<'_>, page: Pfn, index: u64, val: impl FnOnce(&dyn Fn(Pfn) -> u64) -> u64) {
    let hold = cpu.hold();
    let frame = |pfn: Pfn| hold.mfn(pfn).unwrap().raw().0 << 12;
    let ptr = frame(page) | index << 3;
    let update = RawUpdate {
        ptr,
        val: val(&frame),
    };
    let raw = hold.access().raw();
    assert_eq!(raw.mmu_update([Some(update)], None, Domid::SELF), 0);
}

/// Entries of the process's L2 that its own pages need not.
const SPARE: u64 = 7;
const TABLE: u64 = 8;
/// A present, read-only entry, as Xen leaves it.
const ENTRY: u64 = 0x125;

/// Of each page some words, and what it is; of an entry in a table, the PFN.
fn look(cpu: &Cpu<'_>, process: &Process<'_>, pages: [Pfn; 4]) -> Vec<u64> {
    let tables = tables(cpu, process);
    let hold = cpu.hold();
    let access = hold.access();
    let mut seen = Vec::new();
    for pfn in tables.into_iter().chain(pages) {
        let mfn = access.mfn(pfn).unwrap();
        let frame = access.guest().host().frame(mfn.raw());
        seen.push(frame.pinned().into());
        let level = frame.live_table();
        seen.push(level.unwrap_or(0).into());
        for index in [0, 1, 2, SPARE as usize, TABLE as usize] {
            let entry = access.read(mfn, index);
            let target = entry.mfn().filter(|_| level.is_some());
            let canonical = |mfn| entry.pte().with_frame(access.pfn(mfn).unwrap().0).0;
            seen.push(target.map_or(entry.pte().0, canonical));
        }
    }
    seen
}

/// What the guest, its processor or Xen may do to a page between rounds; each alone must be carried.
#[test]
fn every_kind_of_write_is_seen() {
    type Write = fn(&Cpu<'_>, &Process<'_>, [Pfn; 4]);
    let writes: [(&str, Write); 10] = [
        ("zeroed", |cpu, _, [page, ..]| {
            cpu.hold().access().zero(page)
        }),
        ("filled", |cpu, _, [page, ..]| {
            cpu.hold().access().fill(page, 99)
        }),
        ("stored to: contents, and a dirty bit", |cpu, _, _| {
            cpu.hold().access().raw().store(8, 8, 99).unwrap();
        }),
        ("updated, though no table", |cpu, _, [page, ..]| {
            update(cpu, page, 2, |_| 99);
        }),
        ("cleared by Xen", |cpu, _, [page, ..]| {
            extended(cpu, CLEAR_PAGE, page, page);
        }),
        ("copied by Xen", |cpu, _, [page, from, ..]| {
            extended(cpu, COPY_PAGE, page, from);
        }),
        ("pinned", |cpu, process, _| {
            let [_, l2, ..] = tables(cpu, process);
            extended(cpu, PIN_L2, l2, l2);
        }),
        ("unpinned", |cpu, process, _| {
            let [l1, ..] = tables(cpu, process);
            extended(cpu, UNPIN, l1, l1);
        }),
        ("a table by reference", |cpu, process, [.., spare, _]| {
            let [_, l2, ..] = tables(cpu, process);
            update(cpu, l2, SPARE, |frame| frame(spare) | 7);
        }),
        ("a table no more", |cpu, process, _| {
            let [_, l2, ..] = tables(cpu, process);
            update(cpu, l2, TABLE, |_| 0);
        }),
    ];
    for (what, write) in writes {
        let machine = machine();
        let mut cpu = machine.vcpu().unwrap();
        let kernel = Kernel::boot(&cpu, 4).unwrap();
        let mut process = Process::new(&cpu, &kernel, 2);
        kernel.load(&cpu, process.pmap).unwrap();
        let [l1, l2, ..] = tables(&cpu, &process);
        extended(&cpu, PIN_L1, l1, l1);
        // Two pages that look like a table; one is.
        let [first, second] = [0, 1].map(|at| process.pages[at].1);
        let alike = [(); 2].map(|()| kernel.take_page(&mut process.cache).unwrap());
        for page in alike {
            update(&cpu, page, 1, |frame| frame(first) | ENTRY);
        }
        update(&cpu, l2, TABLE, |frame| frame(alike[1]) | 7);
        let pages = [first, second, alike[0], alike[1]];
        let other = machine.guest().another_host();
        let mut precopy = cpu.precopy().unwrap();
        precopy.round();
        let before = look(&cpu, &process, pages);
        write(&cpu, &process, pages);
        let after = look(&cpu, &process, pages);
        assert_ne!(before, after, "{what}");
        let (migrated, _) = stop_and_copy(&mut cpu, &kernel, precopy, Mode::Fresh, &other);
        assert_eq!(migrated.outcome, RESUMED, "{what}");
        assert_eq!(look(&cpu, &process, pages), after, "{what}");
        assert_sound(&machine);
    }
}
