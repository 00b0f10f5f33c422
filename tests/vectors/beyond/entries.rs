//! What may stand in an entry, and who may put it there.

use super::{EBUSY, EFAULT, EINVAL, ENOSYS, EPERM, ESRCH, PIN_L1, PIN_L4, UNPIN, on_guest};
use ptom::xen::{Domid, Pte};

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
fn a_store_to_data_needs_no_alignment() {
    on_guest(|guest| {
        let store = |at: &str, bytes, val| {
            let va = guest.names.va(at);
            guest.with(|raw| raw.store(va, bytes, val)).is_ok()
        };
        assert!(store("D0+0x8", 8, u64::MAX) && store("D0+0x10", 8, u64::MAX));
        assert!(store("D0+0xc", 8, 0x1122_3344_5566_7788));
        assert_eq!(guest.entry("D0+0x8"), 0x5566_7788_ffff_ffff);
        assert_eq!(guest.entry("D0+0x10"), 0xffff_ffff_1122_3344);
        assert!(store("D0+0xb", 2, 0xaabb));
        assert_eq!(guest.entry("D0+0x8"), 0x5566_77aa_bbff_ffff);
        // Across two pages: all of it or nothing.
        let (first, second) = (guest.names.va("D0"), guest.names.va("D1"));
        assert_eq!(second, first + 0x1000);
        assert!(store("D0+0xffe", 4, 0x1234_5678));
        assert_eq!(guest.entry("D0+0xff8") >> 48, 0x5678);
        assert_eq!(guest.entry("D1+0x0") & 0xffff, 0x1234);
        assert_eq!(guest.remap("D1", "0x5"), 0);
        assert!(!store("D0+0xffe", 4, 0));
        assert_eq!(guest.entry("D0+0xff8") >> 48, 0x5678, "nothing");
    });
}

#[test]
fn xens_own_look_at_an_address_leaves_its_marks() {
    on_guest(|guest| {
        for (role, level) in [("T1", 1), ("T2", 2), ("T3", 3)] {
            guest.table(role, level);
        }
        assert_eq!(guest.update("T2+0x0", "T1|0x7", Domid::SELF), 0);
        assert_eq!(guest.update("T3+0x0", "T2|0x7", Domid::SELF), 0);
        assert_eq!(guest.update("L4CUR+0x8", "T3|0x7", Domid::SELF), 0);
        let (va, val) = (1 << 39, guest.val("RO0|0x5"));
        assert_eq!(guest.with(|raw| raw.update_va_mapping(va, val, 0)), 0);
        // It reads the L2 through its linear page tables: the L3 entry is walked, the L2 entry is what it
        // reads.
        let flags = |at| guest.entry(at) & 0xfff;
        assert_eq!((flags("T3+0x0"), flags("T2+0x0")), (0x27, 0x7));
        // A store that faults: it reads the L1.
        assert_eq!(guest.with(|raw| raw.vm_assist(0, 2)), 0);
        assert!(guest.with(|raw| raw.store(va, 8, 0)).is_err());
        assert_eq!((flags("T3+0x0"), flags("T2+0x0")), (0x27, 0x27));
        assert_eq!(flags("T1+0x0"), 0x5 | Pte::G, "not it");
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
