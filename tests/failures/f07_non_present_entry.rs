//! F7: an entry that is not present but holds an MFN. The tools translate present entries only.
//!
//! NetBSD's amd64 constructor left that in the recursive slot of a root, and `pmap_create` computed the
//! root's PFN from it. A root that waits in a vCPU's magazine over a save keeps an MFN of the past there.
//! The scheme is sound throughout: nobody holds, and nobody uses an MFN across the suspend but the table.

use ptom::backend::Native;
use ptom::pmap::{Cached, KERNEL_SLOT, Kernel, PageCache, PmapError, RECURSIVE_SLOT};
use ptom::scheme::percpu::PerCpu;
use ptom::suspend::suspend;
use ptom::xen::{Config, Flush, Machine, Mmu, Mode, NewPte, Outcome, Pfn, Va, Vcpu};

type Scheme = PerCpu<Native>;
type Cpu<'m> = Vcpu<'m, Native, Scheme>;

const VA: Va = Va(0x40_0000);
const MODES: [Mode; 2] = [Mode::Fresh, Mode::Deranged { seed: 3 }];

fn machine() -> Machine<Native, Scheme> {
    Machine::new(Config::new(512, 2)).unwrap()
}

fn boot(cpu: &Cpu<'_>) -> Kernel<Native> {
    let mut kernel = Kernel::boot(cpu, 32).unwrap();
    kernel.cache_roots(Cached::NotPresent);
    kernel
}

/// Leaves a constructed root in this magazine.
fn cache_a_root(cpu: &Cpu<'_>, kernel: &Kernel<Native>, magazine: &mut PageCache) -> Pfn {
    let pmap = kernel.create(cpu, magazine).unwrap();
    let root = kernel.root(pmap);
    kernel.destroy(cpu, magazine, pmap).unwrap();
    root
}

/// The protocol but for the step that looks at cached roots.
fn suspend_without_the_step(cpu: &mut Cpu<'_>, kernel: &Kernel<Native>, mode: Mode) {
    {
        let hold = cpu.hold();
        let shared_info = Va((KERNEL_SLOT as u64) << 39);
        let unmapped = hold
            .access()
            .update_va_mapping(shared_info, NewPte::ZERO, Flush::PAGE);
        unmapped.unwrap();
    }
    let mut world = cpu.suspend();
    kernel.clear_alternate(&world).unwrap();
    world.canonicalise_rings();
    let register = world.start_info().unwrap();
    let outcome = world.hypercall(register, mode).unwrap();
    assert_eq!(outcome, Outcome::Resumed { lost_tables: 0 });
}

/// What the next `pmap_create` does after a suspend without the step: fails, or makes a pmap whose root
/// is another page than the one that was constructed; and the word in that page's recursive slot.
fn next_create(mode: Mode) -> Result<(Pfn, u64), PmapError> {
    let machine = machine();
    let [mut suspender, other] = [(); 2].map(|()| machine.vcpu().unwrap());
    let kernel = boot(&suspender);
    let mut magazine = PageCache::default();
    let root = cache_a_root(&other, &kernel, &mut magazine);
    suspend_without_the_step(&mut suspender, &kernel, mode);
    let pmap = kernel.create(&other, &mut magazine)?;
    let wrong = kernel.root(pmap);
    assert_ne!(wrong, root, "{mode:?}");
    let hold = other.hold();
    let mfn = hold.mfn(wrong).unwrap();
    Ok((wrong, hold.access().read(mfn, RECURSIVE_SLOT).pte().0))
}

#[test]
fn on_other_frames_creating_a_process_faults() {
    // The M2P says nothing of a frame that is nobody's: NetBSD would read whatever is there, or panic.
    assert_eq!(next_create(Mode::Fresh), Err(PmapError::Nothing));
}

#[test]
fn on_its_own_frames_another_page_is_overwritten_and_xen_says_nothing() {
    let silent = (0..16).filter(|seed| {
        match next_create(Mode::Deranged { seed: *seed }) {
            // Eight bytes of a page that has nothing to do with it, return code 0.
            Ok((_, word)) => word != 0,
            // The frame was one of those that went to another domain, or is a table that Xen guards.
            Err(PmapError::Nothing | PmapError::Refused(_)) => false,
            Err(error) => panic!("{error}"),
        }
    });
    assert!(silent.count() > 8);
}

#[test]
fn the_step_reaches_every_cached_root() {
    for mode in [MODES[0], MODES[1], Mode::Cancelled] {
        let machine = machine();
        let [mut suspender, other] = [(); 2].map(|()| machine.vcpu().unwrap());
        let kernel = boot(&suspender);
        let mut magazines = [(); 2].map(|()| PageCache::default());
        let [mine, others] = &mut magazines;
        // In the suspender's magazine, in another vCPU's, and, since a magazine has an end, in the depot.
        let many: Vec<_> = (0..12)
            .map(|_| kernel.create(&other, others).unwrap())
            .collect();
        for pmap in many {
            kernel.destroy(&other, others, pmap).unwrap();
        }
        cache_a_root(&suspender, &kernel, mine);
        let mut roots = Vec::new();
        kernel.each_constructed(|root| roots.push(root));
        roots.sort();
        assert_eq!(roots.len(), 12);
        let outcome = suspend(&mut suspender, &kernel, mode).unwrap();
        assert_eq!(outcome == Outcome::Cancelled, mode == Mode::Cancelled);
        let mut taken = Vec::new();
        for (cpu, magazine, count) in [(&suspender, mine, 5), (&other, others, 7)] {
            for _ in 0..count {
                let pmap = kernel.create(cpu, magazine).unwrap();
                let page = kernel.take_page(magazine).unwrap();
                kernel.load(cpu, pmap).unwrap();
                kernel.enter(cpu, magazine, pmap, VA, page, true).unwrap();
                assert_eq!(kernel.extract(cpu, pmap, VA), Some(page), "{mode:?}");
                taken.push(kernel.root(pmap));
            }
        }
        taken.sort();
        assert_eq!(taken, roots, "{mode:?}: each is itself");
        assert_eq!(machine.guest().broken_invariants(), 0);
        assert!(machine.guest().verdicts().clean());
    }
}
