//! What the tools cannot resolve they drop: one bad entry, and a whole page table comes back empty, or not
//! at all, though save and restore both say that all is well; but for a root that a vCPU has loaded.

use super::calls::fresh;
use super::replay::Replay;
use ptom::xen::reservation::Reservation;
use ptom::xen::save::Failed;
use ptom::xen::{Domid, Mmu, Mode, Pfn};

const EINVAL: i64 = -22;

/// A guest with a pinned L1 that is not in use, and one of its pages set wrong; suspended.
fn suspended(wrong: impl FnOnce(&Replay<'_>), then: impl FnOnce(&Replay<'_>, u64)) {
    let (machine, run) = fresh();
    let mut guest = Replay::new(&machine, &run);
    guest.table("T1", 1);
    assert_eq!(guest.update("T1+0x0", "D1|0x1", Domid::SELF), 0);
    wrong(&guest);
    let lost = guest.suspend().unwrap();
    then(&guest, lost);
}

/// It resumes, and the first address it touches is not mapped.
fn dies_at_once(wrong: impl FnOnce(&Replay<'_>)) {
    suspended(wrong, |guest, lost| {
        assert_eq!(lost, 1, "the table that maps it");
        assert!(guest.with(|raw| raw.load(guest.names.va("D3"))).is_err());
    });
}

/// It runs on, without the table.
fn loses_a_table(wrong: impl FnOnce(&Replay<'_>)) {
    suspended(wrong, |guest, lost| {
        assert_eq!(lost, 1);
        assert_eq!(guest.entry("T1+0x0"), 0, "a good entry of it is gone too");
        assert_eq!(guest.extended(4, "T1", "0"), EINVAL, "nor is it pinned");
    });
}

pub(super) fn set_p2m(guest: &Replay<'_>, role: &str, mfn: Option<&str>) {
    let mfn = mfn.map(|name| guest.names.mfn(name));
    guest.with(|raw| raw.set_p2m(Pfn(guest.names.pfn(role)), mfn));
}

#[test]
fn a_wrong_m2p_of_a_mapped_page_is_fatal() {
    for role in ["D0", "T1"] {
        dies_at_once(|guest| {
            let ptr = format!("{role}+0x1");
            assert_eq!(guest.update(&ptr, "raw:0x5", Domid::SELF), 0);
        });
    }
}

#[test]
fn a_wrong_p2m_of_a_mapped_page_is_fatal() {
    for wrong in [Some("D2"), Some("FOREIGN"), None] {
        dies_at_once(|guest| set_p2m(guest, "D0", wrong));
    }
}

#[test]
fn an_entry_that_does_not_resolve_costs_its_whole_table() {
    loses_a_table(|guest| {
        assert_eq!(guest.update("T1+0x8", "SHARED_INFO|0x1", Domid::SELF), 0);
    });
    loses_a_table(|guest| {
        assert_eq!(guest.update("T1+0x8", "D0|0x1", Domid::SELF), 0);
        let va = guest.names.va("D0");
        assert_eq!(guest.with(|raw| raw.update_va_mapping(va, 0, 2)), 0);
        set_p2m(guest, "D0", None);
    });
}

#[test]
fn a_register_that_does_not_name_start_info_stops_the_save() {
    let (machine, run) = fresh();
    let mut guest = Replay::new(&machine, &run);
    let mut world = guest.cpu.suspend();
    world.canonicalise_rings();
    let register = world.hold().mfn(Pfn(3)).unwrap().into();
    let failed = world.hypercall(register, Mode::Fresh).unwrap_err();
    assert_eq!(failed, Failed::StartInfo);
}

#[test]
fn nothing_of_a_free_frame_comes_with_it() {
    let (machine, run) = fresh();
    let mut guest = Replay::new(&machine, &run);
    let va = guest.names.va("E0");
    assert_eq!(guest.with(|raw| raw.store(va + 0x800, 8, 0x1234)), Ok(()));
    assert_eq!(guest.with(|raw| raw.update_va_mapping(va, 0, 2)), 0);
    let mut freed = [guest.names.mfn("E0")];
    guest.with(|raw| raw.change_reservation(Reservation::Decrease, 0, &mut freed));
    set_p2m(&guest, "E0", None);
    // It is the lowest frame that is free, so the first page gets it: start_info, which has no word there.
    assert_eq!(guest.suspend(), Ok(0));
    assert_eq!(guest.p2m(Pfn(0)), Some(freed[0]));
    assert_eq!(guest.with(|raw| raw.load(0x800)), Ok(0));
}
