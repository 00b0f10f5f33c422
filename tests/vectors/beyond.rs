//! Rules of Xen's that no recorded row shows: told by its notes and its source, checked one by one.

use super::calls::fresh;
use super::replay::Replay;
use ptom::xen::mmuext::MmuextOp;
use ptom::xen::raw::RawUpdate;
use ptom::xen::reservation::Reservation;
use ptom::xen::{Domid, Mmu, MmuUpdate, NewPte, Pfn, Pte, UpdateQueue};

const EPERM: i64 = -1;
const ESRCH: i64 = -3;
const EACCES: i64 = -13;
const EFAULT: i64 = -14;
const EBUSY: i64 = -16;
const EINVAL: i64 = -22;
const ENOSYS: i64 = -38;
const EOPNOTSUPP: i64 = -95;

const PIN_L1: u32 = 0;
const PIN_L4: u32 = 3;
const UNPIN: u32 = 4;
const NEW_BASEPTR: u32 = 5;
const NEW_USER_BASEPTR: u32 = 15;
const CLEAR_PAGE: u32 = 16;
const COPY_PAGE: u32 = 17;

/// Runs a test on a fresh guest, whose counts must be right at the end.
fn on_guest(test: impl FnOnce(&mut Replay<'_>)) {
    let (machine, run) = fresh();
    let mut replay = Replay::new(&machine, &run);
    test(&mut replay);
    assert_eq!(machine.guest().broken_invariants(), 0);
}

#[test]
fn every_flag_bit_at_every_level() {
    on_guest(|guest| {
        for (role, level) in [("T1", 1), ("T2", 2), ("T3", 3), ("T4", 4)] {
            guest.table(role, level);
        }
        let targets = ["D0", "T1", "T2", "T3"];
        for (table, target) in ["T1", "T2", "T3", "T4"].into_iter().zip(targets) {
            for bit in (3..12).chain(52..64) {
                let flags = 1u64 << bit | 5;
                let rc = guest.update(
                    &format!("{table}+0x8"),
                    &format!("{target}|{flags:#x}"),
                    Domid::SELF,
                );
                let refused = matches!(bit, 3 | 4 | 7) || bit == 8 && table != "T1";
                assert_eq!(rc, if refused { EINVAL } else { 0 }, "{table} bit {bit}");
                let own = match (table, bit) {
                    ("T1", 52) | ("T2" | "T3", _) => 0,
                    ("T1", _) => Pte::G,
                    _ => Pte::A,
                };
                let wanted = if refused {
                    0
                } else {
                    guest.val(&format!("{target}|{flags:#x}")) | own
                };
                assert_eq!(
                    guest.entry(&format!("{table}+0x8")),
                    wanted,
                    "{table} bit {bit}"
                );
                assert_eq!(guest.update(&format!("{table}+0x8"), "0", Domid::SELF), 0);
            }
            // A frame beyond RAM, by a high bit of its address.
            for bit in [44, 51] {
                let val = format!("raw:{:#x}", guest.val("D0|0x5") | 1 << bit);
                let rc = guest.update(&format!("{table}+0x8"), &val, Domid::SELF);
                assert_eq!(rc, if table == "T1" { EPERM } else { EINVAL });
            }
        }
    });
}

#[test]
fn a_former_root_keeps_xens_slots() {
    on_guest(|guest| {
        assert_eq!(guest.update("T4+0x800", "raw:0x1234", Domid::SELF), 0);
        guest.table("T4", 4);
        assert_eq!(guest.entry("T4+0x800"), 0, "Xen's slots are overwritten");
        assert_eq!(guest.extended(UNPIN, "T4", "0"), 0);
        assert_eq!(guest.extended(PIN_L1, "T4", "0"), EBUSY);
        assert_eq!(guest.extended(PIN_L1 + 1, "T4", "0"), EINVAL);
        assert_eq!(guest.extended(PIN_L4, "T4", "0"), 0);
    });
}

#[test]
fn the_guest_does_not_get_at_xens_slots() {
    on_guest(|guest| {
        let slot = |index: u64| 0xffff << 48 | 258 << 39 | index << 30;
        for va in [slot(258), slot(0)] {
            assert!(guest.with(|raw| raw.load(va)).is_err(), "{va:#x}");
            assert!(guest.with(|raw| raw.store(va, 8, 0)).is_err(), "{va:#x}");
        }
    });
}

#[test]
fn a_linear_entry_makes_no_table() {
    on_guest(|guest| {
        guest.table("T3", 3);
        guest.table("T4", 4);
        // Good for a root, but not for an L3: and a root it is not yet.
        assert_eq!(guest.update("N0+0x0", "T3|0x7", Domid::SELF), 0);
        assert_eq!(guest.remap("N0", "0x5"), 0);
        assert_eq!(guest.update("T4+0x8", "N0|0x5", Domid::SELF), EINVAL);
        assert_eq!(guest.extended(PIN_L4, "N0", "0"), 0);
        assert_eq!(guest.update("T4+0x8", "N0|0x5", Domid::SELF), 0);
    });
}

#[test]
fn whose_frames_an_update_may_map() {
    on_guest(|guest| {
        guest.table("T1", 1);
        guest.table("T2", 2);
        let update = |val, whose| guest.update("T1+0x0", val, whose);
        assert_eq!(update("D0|0x1", Domid::SELF), 0);
        assert_eq!(
            update("D0|0x205", Domid::IO),
            0,
            "the same frame is not looked at again"
        );
        assert_eq!(update("D1|0x1", Domid::IO), EBUSY);
        assert_eq!(update("MFN_VGA|0x1", Domid::IO), EPERM);
        assert_eq!(update("D1|0x6", Domid::IO), 0, "not present, so nobody's");
        assert_eq!(guest.update("T2+0x0", "0", Domid::IO), EINVAL);
        assert_eq!(guest.update("D2+0x0", "raw:0x7", Domid::IO), 0);
        assert_eq!(guest.update("D2+0x1", "raw:0x7", Domid::IO), EINVAL, "M2P");
        assert_eq!(guest.update("MFN_VGA+0x1", "raw:0x7", Domid::IO), 0, "M2P");
        assert_eq!(guest.update("D2+0x1", "raw:0x7", Domid::DOM0), EPERM, "M2P");
        assert_eq!(
            guest.update("MFN_OOR+0x0", "0", Domid::XEN),
            EPERM,
            "before the address"
        );
        assert_eq!(
            guest.update("T1+0x5", "0", Domid::XEN),
            ENOSYS,
            "after the command"
        );
        assert_eq!(update("0", Domid::GUEST), ESRCH);
    });
}

#[test]
fn mmuext_op_entry_by_entry() {
    on_guest(|guest| {
        guest.table("T1", 1);
        assert_eq!(guest.extended(PIN_L1, "T1", "0"), EINVAL, "twice");
        assert_eq!(guest.extended(PIN_L4, "T1", "0"), EINVAL);
        for role in ["D0", "FOREIGN", "SHARED_INFO", "MFN_OOR", "MFN_ZERO"] {
            assert_eq!(guest.extended(PIN_L1, role, "0"), EINVAL, "{role}");
            assert_eq!(guest.extended(NEW_BASEPTR, role, "0"), EINVAL, "{role}");
            assert_eq!(guest.extended(UNPIN, role, "0"), EINVAL, "{role}");
        }
        assert_eq!(guest.extended(NEW_BASEPTR, "L4CUR", "0"), 0);
        guest.table("T4", 4);
        assert_eq!(guest.extended(NEW_USER_BASEPTR, "T4", "0"), 0);
        assert_eq!(guest.extended(NEW_USER_BASEPTR, "T1", "0"), EINVAL);
        assert_eq!(guest.extended(UNPIN, "T4", "0"), 0);
        assert_eq!(guest.remap("T4", "0x7"), EBUSY, "the user's root still");
        assert_eq!(guest.extended(NEW_USER_BASEPTR, "0", "0"), 0);
        assert_eq!(guest.remap("T4", "0x7"), 0);
        for (command, rc) in [
            (12, EACCES),
            (14, ENOSYS),
            (18, EINVAL),
            (19, EOPNOTSUPP),
            (21, ENOSYS),
        ] {
            assert_eq!(guest.extended(command, "D0", "0"), rc, "{command}");
        }
        for flush in 6..=11 {
            assert_eq!(
                guest.extended(flush, "raw:0x1000", "raw:0x1000"),
                0,
                "{flush}"
            );
        }
        assert_eq!(
            guest.extended(8, "0", "raw:0x40000000"),
            EINVAL,
            "a bitmap that is not mapped"
        );
        assert_eq!(guest.extended(13, "raw:0x1000", "raw:0x2000"), 0);
        assert_eq!(guest.extended(13, "raw:0x1008", "raw:0x1"), EINVAL);
        assert_eq!(guest.extended(13, "raw:0x1000", "raw:0x2001"), EINVAL);
    });
}

#[test]
fn mmuext_op_says_how_far_it_came() {
    on_guest(|guest| {
        let op = |command, role| {
            let arg1 = guest.names.mfn(role);
            Some(MmuextOp {
                command,
                arg1,
                arg2: 0,
            })
        };
        assert_eq!(guest.remap("T1", "0x5"), 0);
        let ops = [
            op(PIN_L1, "T1"),
            op(UNPIN, "T1"),
            op(PIN_L1, "D0"),
            op(PIN_L1, "T1"),
        ];
        let mut done = 9;
        let call = |ops: &[_], done: &mut u32, whose| {
            guest.with(|raw| raw.mmuext_op(ops.to_vec(), Some(done), whose))
        };
        assert_eq!((call(&ops, &mut done, Domid::SELF), done), (EINVAL, 2));
        assert_eq!(
            (call(&[ops[0], None], &mut done, Domid::SELF), done),
            (EFAULT, 1)
        );
        done = 9;
        assert_eq!(
            (call(&ops, &mut done, Domid::IO), done),
            (EPERM, 9),
            "not written"
        );
        assert_eq!(
            (call(&ops, &mut done, Domid(77)), done),
            (ESRCH, 9),
            "not written"
        );
        assert_eq!(guest.extended(UNPIN, "T1", "0"), 0);
    });
}

#[test]
fn whole_pages_are_cleared_and_copied() {
    on_guest(|guest| {
        let store = |at: &str, val| guest.with(|raw| raw.store(guest.names.va(at), 8, val));
        store("D0+0x18", 7).unwrap();
        assert_eq!(guest.extended(COPY_PAGE, "D1", "D0"), 0);
        assert_eq!(guest.entry("D1+0x18"), 7);
        assert_eq!(guest.extended(CLEAR_PAGE, "D0", "0"), 0);
        assert_eq!(guest.entry("D0+0x18"), 0);
        guest.table("T1", 1);
        assert_eq!(
            guest.extended(COPY_PAGE, "D2", "T1"),
            0,
            "a table may be read"
        );
        assert_eq!(guest.extended(COPY_PAGE, "T1", "D1"), EINVAL);
        assert_eq!(guest.extended(CLEAR_PAGE, "T1", "0"), EINVAL);
        assert_eq!(guest.extended(COPY_PAGE, "D1", "FOREIGN"), EINVAL);
        assert_eq!(guest.extended(CLEAR_PAGE, "FOREIGN", "0"), EINVAL);
    });
}

#[test]
fn stores_through_a_read_only_mapping() {
    on_guest(|guest| {
        for (role, level) in [("T1", 1), ("T2", 2)] {
            guest.table(role, level);
        }
        assert_eq!(guest.remap("RO0", "0x5"), 0);
        let store = |at: &str, bytes, val: &str| {
            let (va, val) = (guest.names.va(at), guest.val(val));
            guest.with(|raw| raw.store(va, bytes, val)).is_ok()
        };
        assert!(!store("T1+0x8", 8, "D0|0x1"), "not asked for");
        assert_eq!(guest.with(|raw| raw.vm_assist(0, 2)), 0);
        assert!(store("T1+0x8", 8, "D0|0x1"));
        assert_eq!(guest.entry("T1+0x8"), guest.val("D0|0x10000000000005"));
        assert!(!store("T1+0x8", 8, "FOREIGN|0x1"));
        assert!(!store("T1+0x8", 8, "T2|0x3"));
        assert!(!store("T2+0x8", 8, "T1|0x7"), "L1 tables only");
        assert!(!store("RO0+0x8", 8, "raw:0x1"), "tables only");
        assert!(store("T1+0x8", 4, "0"), "half an entry");
        let upper_half = guest.val("D0|0x10000000000000") & !0xffff_ffff;
        assert_eq!(guest.entry("T1+0x8"), upper_half);
        assert!(!store("T1+0xc", 8, "0"), "not aligned");
        assert_eq!(guest.with(|raw| raw.vm_assist(1, 2)), 0);
        assert!(!store("T1+0x8", 8, "0"));
        assert_eq!(guest.with(|raw| raw.vm_assist(0, 6)), EINVAL);
        assert_eq!(guest.with(|raw| raw.vm_assist(2, 2)), ENOSYS);
    });
}

#[test]
fn update_va_mapping_reads_its_bitmap() {
    on_guest(|guest| {
        let (va, val) = (guest.names.va("D0"), guest.val("D0|0x7"));
        let call = |flags| guest.with(|raw| raw.update_va_mapping(va, val, flags));
        for flags in [0, 1, 2, 3, 4, 5, 6, 8, 0x1001, 0x4000_0003] {
            assert_eq!(call(flags), 0, "{flags:#x}");
        }
        assert_eq!(call(0x4000_0001), EFAULT);
    });
}

#[test]
fn a_frame_given_back_is_free_when_nothing_needs_it() {
    on_guest(|guest| {
        let owned = guest.with(|raw| raw.current_reservation());
        let give = |role: &str, order| {
            let mut extents = [guest.val(role)];
            guest.with(|raw| raw.change_reservation(Reservation::Decrease, order, &mut extents))
        };
        guest.table("T1", 1);
        assert_eq!(guest.update("T1+0x0", "D0|0x1", Domid::SELF), 0);
        assert_eq!(give("D0", 0), 1);
        assert_eq!(
            guest.with(|raw| raw.update_va_mapping(guest.names.va("D0"), 0, 2)),
            0
        );
        assert_eq!(
            guest.with(|raw| raw.current_reservation()),
            owned,
            "T1 maps it still"
        );
        assert_eq!(guest.update("T1+0x0", "0", Domid::SELF), 0);
        assert_eq!(guest.with(|raw| raw.current_reservation()), owned - 1);
        assert_eq!(guest.with(|raw| raw.m2p(guest.val("D0"))), u64::MAX);
        assert_eq!(give("D1", 10), 0, "too large an extent");
        guest.with(|raw| raw.set_p2m(Pfn(guest.names.pfn("D0")), None));
    });
}

#[test]
fn a_batch_stops_where_the_list_is_not_mapped() {
    on_guest(|guest| {
        let (ptr, val) = (guest.names.maddr("D0+0x0"), 5);
        let list = [
            Some(RawUpdate { ptr, val }),
            None,
            Some(RawUpdate { ptr, val: 6 }),
        ];
        let mut done = 0;
        let rc = guest.with(|raw| raw.mmu_update(list, Some(&mut done), Domid::SELF));
        assert_eq!((rc, done, guest.entry("D0+0x0")), (EFAULT, 1, 5));
    });
}

#[test]
fn a_queue_is_one_hypercall_when_it_is_full() {
    on_guest(|guest| {
        guest.table("T1", 1);
        let calls = || guest.machine.guest().verdicts().hypercalls;
        let pfn = |role| Pfn(guest.names.pfn(role));
        let hold = guest.cpu.hold();
        let (table, data) = (hold.mfn(pfn("T1")).unwrap(), hold.mfn(pfn("D0")).unwrap());
        let entry = |at: usize, flags| MmuUpdate::normal(table.entry(at), NewPte::map(data, flags));
        let before = calls();
        let mut queue = UpdateQueue::new(hold.access());
        for at in 0..2047 {
            queue.push(entry(at % 512, Pte::P)).unwrap();
        }
        assert_eq!(
            (calls(), queue.len()),
            (before, 2047),
            "nothing is done yet"
        );
        queue.push(entry(0, Pte::P)).unwrap();
        assert_eq!((calls(), queue.is_empty()), (before + 1, true));
        queue.flush().unwrap();
        assert_eq!(calls(), before + 1, "an empty queue needs no hypercall");
        // The second of three is refused: it is dropped, and the third waits.
        for (at, flags) in [(1, Pte::P | Pte::RW), (2, Pte::P | Pte::PCD), (3, 0)] {
            queue.push(entry(at, flags)).unwrap();
        }
        assert_eq!(queue.flush().unwrap_err().done, 1);
        assert_eq!(queue.len(), 1);
        queue.flush().unwrap();
        let read = |at| hold.access().read(table, at).pte();
        assert!(read(1).writable() && read(2).present() && !read(3).present());
    });
}
