//! The same kernel on both kinds of guest that today's Xen runs, 64-bit and PAE: its windows, what a save
//! must put away, and what is refused to a PAE guest alone.

mod kernel;
mod rules;
mod saved;

use ptom::backend::Native;
use ptom::pmap::{Alternate, Kernel, PageCache, PmapId};
use ptom::scheme::percpu::PerCpu;
use ptom::xen::{Config, Era, Machine, Mode, Outcome, Paging, Pfn, Va, Vcpu};

pub(crate) type Scheme = PerCpu<Native>;
pub(crate) type Cpu<'m> = Vcpu<'m, Native, Scheme>;

pub(crate) const BOTH: [Paging; 2] = [Paging::FourLevels, Paging::Pae];
pub(crate) const WINDOWS: [Alternate; 5] = [
    Alternate::Direct,
    Alternate::Lazy,
    Alternate::LazyShot,
    Alternate::Eager,
    Alternate::Load,
];
pub(crate) const MODES: [Mode; 3] = [Mode::Fresh, Mode::Deranged { seed: 3 }, Mode::Cancelled];
pub(crate) const RESUMED: Outcome = Outcome::Resumed { lost_tables: 0 };
/// In the first L1 table, and in the last of a PAE process.
pub(crate) const LOW: Va = Va(0x40_0000);
pub(crate) const HIGH: Va = Va(0xbf7f_f000);

pub(crate) fn machine(paging: Paging, era: Era) -> Machine<Native, Scheme> {
    let machine = Machine::new(Config::new(1024, 4).paged(paging)).unwrap();
    machine.guest().as_of(era);
    machine.guest().with_tlb();
    machine
}

pub(crate) fn boot(cpu: &Cpu<'_>, alternate: Alternate) -> Kernel<Native> {
    let mut kernel = Kernel::boot(cpu, 40).unwrap();
    kernel.reach_by(alternate);
    kernel
}

/// Processes with a page of their own at [`LOW`] and one at [`HIGH`].
pub(crate) fn processes(
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

pub(crate) fn assert_mapped(
    cpu: &Cpu<'_>,
    kernel: &Kernel<Native>,
    all: &[(PmapId, [Pfn; 2])],
    what: &str,
) {
    for (pmap, pages) in all {
        let seen = [LOW, HIGH].map(|va| kernel.extract(cpu, *pmap, va));
        assert_eq!(seen, pages.map(Some), "{what}: {pmap:?}");
    }
}

pub(crate) fn assert_sound(machine: &Machine<Native, Scheme>) {
    assert_eq!(machine.guest().broken(), []);
    let verdicts = machine.guest().verdicts();
    let wrong = (verdicts.stale_uses, verdicts.wrong_frame, verdicts.faults);
    assert_eq!(wrong, (0, 0, 0));
}
