//! Whose tables, whose reservation; and lists whose address cannot be the guest's.

use super::{EFAULT, EINVAL, ENOSYS, EPERM, ESRCH, on_guest};
use crate::replay::Replay;
use ptom::xen::exchange::Exchange;
use ptom::xen::raw::RawUpdate;
use ptom::xen::reservation::Reservation;
use ptom::xen::{Domid, Foreign};

const UNTOUCHED: u32 = 9;

/// `foreigndom` with another domain's tables: its number and 1 above bit 16.
fn tables_of(tables: Domid, frames: Domid) -> u32 {
    (u32::from(tables.0) + 1) << 16 | u32::from(frames.0)
}

fn update(guest: &Replay<'_>, command: u64, whose: impl Into<Foreign>) -> (i64, u32) {
    let ptr = guest.names.maddr("D0+0x0") | command;
    let mut done = UNTOUCHED;
    let list = [Some(RawUpdate { ptr, val: 5 })];
    let rc = guest.with(|raw| raw.mmu_update(list, Some(&mut done), whose));
    (rc, done)
}

#[test]
fn whose_page_tables_an_update_may_change() {
    on_guest(|guest| {
        let own = Domid::SELF;
        for (tables, wanted) in [
            (Domid::GUEST, (0, 1)),
            (Domid::DOM0, (EPERM, 0)),
            (Domid::NEIGHBOUR, (EPERM, 0)),
            // Looked up as a number, and not found: the count is not written.
            (Domid(77), (ESRCH, UNTOUCHED)),
            (Domid::SELF, (ESRCH, UNTOUCHED)),
            (Domid::IO, (ESRCH, UNTOUCHED)),
        ] {
            let found = update(guest, 0, tables_of(tables, own));
            assert_eq!(found, wanted, "{tables:?}");
        }
        // The M2P is in nobody's page tables; and a command is known before a right to it.
        let m2p = update(guest, 1, tables_of(Domid::DOM0, own));
        assert_eq!(m2p, (0, 1));
        let unknown = update(guest, 5, tables_of(Domid::DOM0, own));
        assert_eq!(unknown, (ENOSYS, 0));
        let frames = update(guest, 0, tables_of(Domid::GUEST, Domid(77)));
        assert_eq!(
            frames,
            (ESRCH, 0),
            "after the tables' owner, and with a count"
        );
        let both = update(guest, 0, tables_of(Domid(77), Domid(78)));
        assert_eq!(both, (ESRCH, UNTOUCHED));
        let pfn = guest.names.pfn("D0");
        let again = format!("raw:{pfn:#x}");
        assert_eq!(guest.update("D0+0x1", &again, own), 0);
    });
}

#[test]
fn a_list_that_cannot_be_the_guests_is_not_looked_at() {
    on_guest(|guest| {
        let list = guest.names.va("E0");
        let words = [
            guest.names.maddr("D0+0x8"),
            7,
            guest.names.maddr("D1+0x8"),
            8,
        ];
        let at = |offset: usize, word| {
            let stored = guest.with(|raw| raw.store(list + 8 * offset as u64, 8, word));
            stored.unwrap();
        };
        words
            .into_iter()
            .enumerate()
            .for_each(|(n, word)| at(n, word));
        let xens = guest.names.va("m2p_va");
        let hole = guest.names.va("noncanonical_va");
        let unmapped = guest.names.va("no_l1_va");
        for (address, count, whose, wanted) in [
            (list, 2, Domid::SELF, (0, 2)),
            (list, 0, Domid::SELF, (0, 0)),
            (unmapped, 1, Domid::SELF, (EFAULT, 0)),
            (unmapped, 0, Domid::SELF, (0, 0)),
            (xens, 1, Domid::SELF, (EFAULT, UNTOUCHED)),
            (hole, 0, Domid::SELF, (EFAULT, UNTOUCHED)),
            // Before anybody is looked up.
            (hole, 1, Domid(77), (EFAULT, UNTOUCHED)),
            (list, 1, Domid(77), (ESRCH, 0)),
        ] {
            let mut done = UNTOUCHED;
            let call = |done| guest.with(|raw| raw.mmu_update_at(address, count, done, whose));
            assert_eq!(
                (call(Some(&mut done)), done),
                wanted,
                "{address:#x}, {count}"
            );
        }
        assert_eq!([guest.entry("D0+0x8"), guest.entry("D1+0x8")], [7, 8]);
        // An unpin of what is not pinned.
        let op = [4, guest.names.mfn("D0"), 0];
        op.into_iter().enumerate().for_each(|(n, word)| at(n, word));
        for (address, wanted) in [
            (list, (EINVAL, 0)),
            (unmapped, (EFAULT, 0)),
            (xens, (EFAULT, UNTOUCHED)),
        ] {
            let mut done = UNTOUCHED;
            let call = |done| guest.with(|raw| raw.mmuext_op_at(address, 1, done, Domid::SELF));
            assert_eq!((call(Some(&mut done)), done), wanted, "{address:#x}");
        }
    });
}

#[test]
fn a_list_need_not_be_aligned() {
    on_guest(|guest| {
        let list = guest.names.va("E0") + 3;
        let words = [guest.names.maddr("D0+0x8"), 0x1122_3344_5566_7788];
        for (at, word) in (list..).step_by(8).zip(words) {
            for (octet, value) in word.to_le_bytes().into_iter().enumerate() {
                let stored = guest.with(|raw| raw.store(at + octet as u64, 1, value.into()));
                stored.unwrap();
            }
        }
        let rc = guest.with(|raw| raw.mmu_update_at(list, 1, None, Domid::SELF));
        assert_eq!((rc, guest.entry("D0+0x8")), (0, words[1]));
    });
}

#[test]
fn whose_reservation_is_changed() {
    on_guest(|guest| {
        for (whose, refused) in [
            (Domid::SELF, None),
            // Unlike page tables' frames, its own by its number.
            (Domid::GUEST, None),
            (Domid::DOM0, Some(EPERM)),
            (Domid::NEIGHBOUR, Some(EPERM)),
            (Domid(77), Some(ESRCH)),
            (Domid::IO, Some(ESRCH)),
        ] {
            let mut extents = [0];
            let (change, back) = (Reservation::Increase, Reservation::Decrease);
            let got = guest.with(|raw| raw.of(whose).change_reservation(change, 0, &mut extents));
            assert_eq!(got, i64::from(refused.is_none()), "{whose:?}: extents done");
            if refused.is_none() {
                let given = guest.with(|raw| raw.change_reservation(back, 0, &mut extents));
                assert_eq!(given, 1);
            }
            let now = guest.with(|raw| raw.of(whose).current_reservation());
            let most = guest.with(|raw| raw.of(whose).maximum_reservation());
            assert_eq!(
                [now, most],
                refused.map_or([4096, 4352], |errno| [errno; 2])
            );
            let exchange = |done| {
                let mut wanted = [guest.names.pfn("E0")];
                let mut exchange = Exchange {
                    given: &[guest.names.mfn("D0")],
                    given_order: 0,
                    wanted: &mut wanted,
                    wanted_order: 0,
                    done,
                };
                guest.with(|raw| raw.of(whose).exchange(&mut exchange))
            };
            // D0 is mapped, so it is not to be had.
            assert_eq!(exchange(0), refused.unwrap_or(EINVAL), "{whose:?}");
            assert_eq!(exchange(1), 0, "nothing is left to do: nobody is looked up");
            assert_eq!(exchange(2), EINVAL, "{whose:?}: the numbers come first");
        }
    });
}
