//! F10: entries that name another table of the same level, left in place across a save.
//!
//! The save says nothing. The restorer loads the vCPUs' roots, then pins in ascending PFN order (before 2015
//! it pinned first, and loaded then), and validates each table as it comes: one that names a table which is
//! none yet fails, or gets it as a table of the level below. So the same guest restores or not by the
//! accident of its PFNs, and of which root is loaded. Which of them do today, a real Xen has shown:
//! `tests/truth/vectors-i*.jsonl`. Clearing all of them before the save is the cure.

use crate::guest::{Guest, level_of};
use crate::turns::Turns;
use ptom::pmap::{KERNEL_SLOT, Kernel};
use ptom::scheme::percpu::PerCpu;
use ptom::suspend::{SuspendError, suspend};
use ptom::xen::frame::Type;
use ptom::xen::save::Failed;
use ptom::xen::{
    Access, Config, Era, Errno, Machine, Mmu, MmuUpdate, Mode, NewPte, Outcome, Paging, Pfn, Pte,
};

type Sound = PerCpu<Turns>;

/// Two pages of no process's, and one above them.
const LOWER: Pfn = Pfn(500);
const HIGHER: Pfn = Pfn(501);
const HIGHEST: Pfn = Pfn(502);
/// The kernel's half: the second page of its own.
const KERNEL_L3: Pfn = Pfn(4);
const INDEX: usize = 30;

const RESUMED: Result<Outcome, SuspendError> = Ok(Outcome::Resumed { lost_tables: 0 });
const NOT_PINNED: Result<Outcome, SuspendError> = Err(SuspendError::Tools(Failed::Pin));
const NOT_LOADED: Result<Outcome, SuspendError> = Err(SuspendError::Tools(Failed::Load));

/// Makes a root name another one, read-only.
fn link(access: Access<'_, Turns>, from: Pfn, to: Pfn) -> Result<(), Errno> {
    let [from, to] = [from, to].map(|pfn| access.mfn(pfn).unwrap());
    let update = MmuUpdate::normal(from.entry(INDEX), NewPte::map(to, Pte::P | Pte::US));
    let done = access.mmu_update(&[update]);
    done.map(drop).map_err(|refused| refused.errno)
}

/// Gives a root the kernel's half, so that a vCPU can run on it.
fn with_kernel(access: Access<'_, Turns>, root: Pfn) {
    let [root, l3] = [root, KERNEL_L3].map(|pfn| access.mfn(pfn).unwrap());
    let val = NewPte::map(l3, Pte::P | Pte::RW | Pte::US | Pte::A);
    let update = MmuUpdate::normal(root.entry(KERNEL_SLOT), val);
    access.mmu_update(&[update]).unwrap();
}

fn pin(access: Access<'_, Turns>, roots: &[Pfn]) {
    for root in roots {
        access.pin(access.mfn(*root).unwrap(), 4).unwrap();
    }
}

/// Prepares a guest, and suspends it by the whole protocol, which knows nothing of these roots.
fn suspended(
    era: Era,
    prepare: impl FnOnce(Access<'_, Turns>),
) -> (&'static Guest<Sound>, Result<Outcome, SuspendError>) {
    let guest = Guest::<Sound>::with(1);
    guest.machine.guest().as_of(era);
    let mut cpu = guest.cpu();
    prepare(cpu.hold().access());
    let outcome = suspend(&mut cpu, &guest.kernel, Mode::Fresh);
    (guest, outcome)
}

/// With both orders of the restore.
const ERAS: [Era; 2] = [Era::Now, Era::Before2015];

#[test]
fn it_depends_on_the_order_of_pfns() {
    for era in ERAS {
        for (from, to, outcome) in [(LOWER, HIGHER, NOT_PINNED), (HIGHER, LOWER, RESUMED)] {
            let (guest, got) = suspended(era, |access| {
                pin(access, &[LOWER, HIGHER]);
                link(access, from, to).unwrap();
            });
            assert_eq!(got, outcome, "{from:?} names {to:?}, {era:?}");
            let said = format!(
                "I2: 1 entries named another table of their level at suspend hypercalls, the last of \
                 them entry {INDEX} of PFN {}",
                from.0
            );
            assert!(guest.broken().contains(&said), "{:?}", guest.broken());
        }
    }
    let words = NOT_PINNED.unwrap_err().to_string();
    assert_eq!(words, "restore: failed to pin a page table");
}

/// A guest with the higher root loaded, and one of the two naming the other.
fn with_a_loaded_root(era: Era, from: Pfn, to: Pfn, empty: bool) -> Result<Outcome, SuspendError> {
    let (_, outcome) = suspended(era, |access| {
        pin(access, &[LOWER, HIGHER]);
        if !empty {
            with_kernel(access, LOWER);
        }
        link(access, from, to).unwrap();
        with_kernel(access, HIGHER);
        access.load(access.mfn(HIGHER).unwrap()).unwrap();
    });
    outcome
}

#[test]
fn a_loaded_root_is_validated_before_any_pin() {
    // The order of PFNs does not help it. An empty root becomes a table of the level below, and cannot be
    // pinned as a root; one with the kernel's half takes that down with it, and the loaded root lacks it.
    for (empty, expected) in [(true, NOT_PINNED), (false, NOT_LOADED)] {
        let outcome = with_a_loaded_root(Era::Now, HIGHER, LOWER, empty);
        assert_eq!(outcome, expected, "empty: {empty}");
    }
    let outcome = with_a_loaded_root(Era::Now, LOWER, HIGHER, true);
    assert_eq!(outcome, RESUMED, "it is a root already when the pins come");
}

#[test]
fn before_2015_a_loaded_root_was_validated_after_every_pin() {
    for empty in [true, false] {
        let outcome = with_a_loaded_root(Era::Before2015, HIGHER, LOWER, empty);
        assert_eq!(outcome, RESUMED, "the order of PFNs is all, empty: {empty}");
    }
    let outcome = with_a_loaded_root(Era::Before2015, LOWER, HIGHER, true);
    assert_eq!(outcome, NOT_PINNED, "that it is loaded does not help");
}

#[test]
fn a_root_that_nothing_pins_comes_back_a_level_lower() {
    ERAS.into_iter().for_each(comes_back_a_level_lower);
}

fn comes_back_a_level_lower(era: Era) {
    let (guest, outcome) = suspended(era, |access| {
        pin(access, &[LOWER, HIGHER]);
        link(access, LOWER, HIGHER).unwrap();
        // The entry alone keeps it a root.
        access.unpin(access.mfn(HIGHER).unwrap()).unwrap();
        assert_eq!(level_of(access, HIGHER), Some(4));
    });
    assert_eq!(outcome, RESUMED, "nobody is told");
    let cpu = guest.cpu();
    let hold = cpu.hold();
    assert_eq!(level_of(hold.access(), HIGHER), Some(3));
    let root = hold.mfn(HIGHER).unwrap();
    assert_eq!(
        guest.machine.guest().host().frame(root.raw()).kind(),
        Type::L3
    );
    let refused = hold.access().pin(root, 4).unwrap_err();
    assert_eq!(refused.errno, Errno::Inval, "it is something else now");
}

#[test]
fn a_cycle_never_restores() {
    for era in [Era::Before2017, Era::Before2015] {
        let (_, outcome) = suspended(era, |access| {
            pin(access, &[LOWER, HIGHER]);
            link(access, LOWER, HIGHER).unwrap();
            link(access, HIGHER, LOWER).unwrap();
        });
        assert_eq!(outcome, NOT_PINNED, "{era:?}");
    }
}

#[test]
fn since_xsa_240_there_are_no_chains_and_no_cycles() {
    let (_, outcome) = suspended(Era::Now, |access| {
        pin(access, &[LOWER, HIGHER, HIGHEST]);
        link(access, HIGHER, LOWER).unwrap();
        assert_eq!(link(access, LOWER, HIGHER), Err(Errno::Inval), "a cycle");
        assert_eq!(link(access, HIGHEST, HIGHER), Err(Errno::Inval), "a chain");
        assert_eq!(link(access, HIGHEST, LOWER), Ok(()), "two users of one");
    });
    assert_eq!(outcome, RESUMED);
}

#[test]
fn the_recursive_slots_of_pae_are_such_entries_too() {
    // Four directories, and one of them names all four. NetBSD pins that one last; the tools pin by PFN.
    let directories = [500, 501, 502, 503].map(Pfn);
    let cases = [(500, NOT_PINNED), (502, NOT_PINNED), (503, RESUMED)];
    let cases = ERAS
        .into_iter()
        .flat_map(|era| cases.map(|case| (era, case)));
    for (era, (third, expected)) in cases {
        let config = Config::new(512, 1).paged(Paging::Pae);
        let machine = Machine::<Turns, Sound>::new(config).unwrap();
        machine.guest().as_of(era);
        let mut cpu = machine.vcpu().unwrap();
        let kernel = Kernel::boot(&cpu, 1).unwrap();
        {
            let hold = cpu.hold();
            let access = hold.access();
            let third = access.mfn(Pfn(third)).unwrap();
            for (index, directory) in directories.into_iter().enumerate() {
                let directory = access.mfn(directory).unwrap();
                if directory.raw() != third.raw() {
                    access.pin(directory, 2).unwrap();
                }
                let val = NewPte::map(directory, Pte::P | Pte::US);
                let update = MmuUpdate::normal(third.entry(508 + index), val);
                access.mmu_update(&[update]).unwrap();
            }
            access.pin(third, 2).unwrap();
        }
        let outcome = suspend(&mut cpu, &kernel, Mode::Fresh);
        assert_eq!(outcome, expected, "the third at PFN {third}, {era:?}");
    }
}

#[test]
fn cleared_before_the_save_none_of_it_happens() {
    let (guest, outcome) = suspended(Era::Before2017, |access| {
        pin(access, &[LOWER, HIGHER]);
        for (from, to) in [(LOWER, HIGHER), (HIGHER, LOWER)] {
            link(access, from, to).unwrap();
        }
        for from in [LOWER, HIGHER] {
            let entry = access.mfn(from).unwrap().entry(INDEX);
            access
                .mmu_update(&[MmuUpdate::normal(entry, NewPte::ZERO)])
                .unwrap();
        }
    });
    assert_eq!(outcome, RESUMED);
    guest.assert_sound();
}
