//! Pins, roots, whole pages, and frames given back.

use super::{
    CLEAR_PAGE, COPY_PAGE, EACCES, EBUSY, EINVAL, ENOSYS, EOPNOTSUPP, NEW_BASEPTR,
    NEW_USER_BASEPTR, PIN_L1, PIN_L4, UNPIN, on_guest,
};
use ptom::xen::reservation::Reservation;
use ptom::xen::{Domid, Pfn};

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
