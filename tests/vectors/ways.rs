//! The ways to the other side, of a guest with something wrong: by memory, by a stream, live. All end alike,
//! as on a real Xen: a root that was dropped is refused, another table comes back as zeros if an entry names
//! it, and what is none of the guest's does not come back.

use super::calls::fresh;
use super::lost::set_p2m;
use super::replay::Replay;
use ptom::xen::reservation::Reservation;
use ptom::xen::save::Failed;
use ptom::xen::{Domid, Mode, Outcome, Pfn};

/// How a guest gets to the other side.
#[derive(Clone, Copy, Debug)]
enum Way {
    Memory,
    Stream,
    Live,
}

fn names_a_root(what: &str) -> bool {
    ["the root (cr3)", "the user root (cr1)", "start_info (rdx)"]
        .iter()
        .any(|named| what.contains(named))
}

/// Suspends the guest, and says how many tables were dropped; `Err` if a root or start_info was refused.
fn carried(guest: &mut Replay<'_>, way: Way, mode: Mode) -> Result<u64, &'static str> {
    let there = guest.machine.guest().another_host();
    let mut precopy = guest.cpu.precopy().unwrap();
    if matches!(way, Way::Live) {
        precopy.round();
    }
    let mut world = guest.cpu.suspend();
    world.canonicalise_rings();
    let register = world.start_info().unwrap();
    let outcome = match way {
        Way::Memory => world.hypercall(register, mode),
        Way::Stream => world.hypercall_by(register, mode, |stream| stream),
        Way::Live => {
            let migrated = world.migrate(register, precopy, mode, &there, |stream| stream);
            migrated.map(|migrated| migrated.outcome)
        }
    };
    drop(world);
    guest.names.look_up(&guest.cpu);
    match outcome {
        Ok(Outcome::Resumed { lost_tables }) => Ok(lost_tables),
        Ok(Outcome::Cancelled) => panic!("nobody cancelled"),
        // The reader of a stream sees it before the restorer does.
        Err(Failed::Stream(what)) if names_a_root(&what.to_string()) => Err("wrong type"),
        Err(Failed::WrongType) => Err("wrong type"),
        Err(failed) => panic!("{failed}"),
    }
}

/// What is wrong, what comes of it, and of the PFN of which role something is known: whether it has a
/// frame afterwards.
struct Case {
    wrong: fn(&mut Replay<'_>),
    ends: Result<u64, &'static str>,
    of: (&'static str, bool),
}

fn unmap(guest: &Replay<'_>, role: &str) {
    let va = guest.names.va(role);
    assert_eq!(guest.with(|raw| raw.update_va_mapping(va, 0, 2)), 0);
}

/// A pinned table, mapped by nobody, with an entry that has no PFN.
fn unresolved_and_unmapped(guest: &mut Replay<'_>) {
    guest.table("T1", 1);
    assert_eq!(guest.update("T1+0x8", "SHARED_INFO|0x1", Domid::SELF), 0);
    unmap(guest, "T1");
}

fn aside(guest: &Replay<'_>, word: Option<&str>) {
    unmap(guest, "E0");
    set_p2m(guest, "E0", word);
}

const CASES: [Case; 12] = [
    Case {
        wrong: |_| {},
        ends: Ok(0),
        of: ("D0", true),
    },
    Case {
        // Its entry in the L2 is all that brings it back.
        wrong: |guest| set_p2m(guest, "D0", None),
        ends: Ok(1),
        of: ("D0", false),
    },
    Case {
        wrong: unresolved_and_unmapped,
        ends: Ok(1),
        of: ("T1", false),
    },
    Case {
        // The loaded root's L2 resolves neither in the L3, which comes back as zeros, nor in an L1.
        wrong: |guest| wrong_m2p(guest, 2),
        ends: Ok(2),
        of: ("L4CUR", true),
    },
    Case {
        // Nor the L3 in the root itself.
        wrong: |guest| wrong_m2p(guest, 1),
        ends: Err("wrong type"),
        of: ("D0", true),
    },
    Case {
        wrong: |guest| {
            guest.table("T3", 3);
            guest.table("T4", 4);
            assert_eq!(guest.update("T4+0x0", "T3|0x7", Domid::SELF), 0);
            assert_eq!(guest.extended(15, "T4", "0"), 0, "the user's root");
            unmap(guest, "T3");
            assert_eq!(guest.update("T3+0x1", "raw:0x5", Domid::SELF), 0);
        },
        ends: Err("wrong type"),
        of: ("D0", true),
    },
    Case {
        // start_info has become a page table, an empty one: no other can be made of it.
        wrong: |guest| {
            for word in 0..512 {
                assert_eq!(guest.with(|raw| raw.store(word * 8, 8, 0)), Ok(()));
            }
            let mfn = guest.p2m(Pfn(0)).unwrap();
            guest.names.set("INFO", mfn);
            let read_only = guest.val("INFO|0x5");
            assert_eq!(guest.with(|raw| raw.update_va_mapping(0, read_only, 2)), 0);
            assert_eq!(guest.extended(0, "INFO", "0"), 0);
        },
        ends: Err("wrong type"),
        of: ("D0", true),
    },
    Case {
        wrong: |guest| aside(guest, Some("FOREIGN")),
        ends: Ok(0),
        of: ("E0", false),
    },
    Case {
        wrong: |guest| aside(guest, Some("SHARED_INFO")),
        ends: Ok(0),
        of: ("E0", false),
    },
    Case {
        wrong: |guest| {
            unmap(guest, "E0");
            let mut freed = [guest.names.mfn("E0")];
            let change = Reservation::Decrease;
            let done = guest.with(|raw| raw.change_reservation(change, 0, &mut freed));
            assert_eq!(done, 1);
        },
        ends: Ok(0),
        of: ("E0", false),
    },
    Case {
        // One frame under two PFNs is saved twice.
        wrong: |guest| aside(guest, Some("D2")),
        ends: Ok(0),
        of: ("E0", true),
    },
    Case {
        wrong: |guest| {
            unmap(guest, "E0");
            assert_eq!(
                guest.update("E0+0x1", "raw:0xffffffffffffffff", Domid::SELF),
                0
            );
        },
        ends: Ok(0),
        of: ("E0", true),
    },
];

/// Makes the M2P wrong of the `n`th of the active tables, the root being the first, at 0.
fn wrong_m2p(guest: &mut Replay<'_>, n: u64) {
    let table = Pfn(guest.names.pfn("L4CUR") + n);
    guest.names.set("ACTIVE", guest.p2m(table).unwrap());
    assert_eq!(guest.update("ACTIVE+0x1", "raw:0x5", Domid::SELF), 0);
}

#[test]
fn every_way_to_the_other_side_ends_alike() {
    for (at, case) in CASES.iter().enumerate() {
        for way in [Way::Memory, Way::Stream, Way::Live] {
            for mode in [Mode::Fresh, Mode::Deranged { seed: 3 }] {
                let (machine, run) = fresh();
                let mut guest = Replay::new(&machine, &run);
                (case.wrong)(&mut guest);
                let told = format!("case {at}, {way:?}, {mode:?}");
                assert_eq!(carried(&mut guest, way, mode), case.ends, "{told}");
                if case.ends.is_ok() {
                    let (role, has_frame) = case.of;
                    let frame = guest.p2m(Pfn(guest.names.pfn(role)));
                    assert_eq!(frame.is_some(), has_frame, "{told}");
                    assert_eq!(machine.guest().broken(), [], "{told}");
                }
            }
        }
    }
}

#[test]
fn what_was_none_of_the_guests_is_not_asked_for_again() {
    // In round 1 the P2M says that a page has no frame, or another domain's; then the true one, which is
    // a write to the P2M, and not to the page.
    for (word, comes) in [(None, true), (Some("FOREIGN"), false)] {
        let (machine, run) = fresh();
        let mut guest = Replay::new(&machine, &run);
        let (pfn, mfn) = (Pfn(guest.names.pfn("E0")), guest.names.mfn("E0"));
        aside(&guest, word);
        let there = machine.guest().another_host();
        let mut precopy = guest.cpu.precopy().unwrap();
        precopy.round();
        guest.with(|raw| raw.set_p2m(pfn, Some(mfn)));
        let mut world = guest.cpu.suspend();
        world.canonicalise_rings();
        let register = world.start_info().unwrap();
        let migrated = world.migrate(register, precopy, Mode::Fresh, &there, |stream| stream);
        assert!(migrated.is_ok());
        drop(world);
        assert_eq!(guest.p2m(pfn).is_some(), comes, "{word:?}");
    }
}
