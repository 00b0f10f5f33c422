//! Live migration between two hosts: rounds, what is put off, and what the guest finds when it wakes.

use ptom::backend::Native;
use ptom::pmap::{Kernel, PageCache, PmapId, Range};
use ptom::scheme::percpu::PerCpu;
use ptom::suspend::{SuspendError, pre_suspend};
use ptom::xen::host::Host;
use ptom::xen::stream::{MAX_ROUNDS, Migrated, Precopy, Stream, TARGET_DIRTY};
use ptom::xen::{Config, Errno, Machine, Mmu, Mode, Outcome, Pfn, Pte, RawMfn, Va, Vcpu};

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
            let mut precopy = cpu.precopy();
            for writes in [400, 100, 20, 5] {
                (0..writes).for_each(|at| process.write(&cpu, at));
                if !precopy.round() {
                    break;
                }
            }
            let before: Vec<_> = precopy.rounds().to_vec();
            assert_eq!(before.len(), 4, "{before:?}");
            assert_eq!(before[1].dirty, 100, "{before:?}");
            assert_eq!(before[2].dirty, 20, "{before:?}");
            (100..103).for_each(|at| process.write(&cpu, at));
            let (migrated, stream) = stop_and_copy(&mut cpu, &kernel, precopy, mode, &other);
            assert_eq!(migrated.outcome, RESUMED);
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
