//! `XENMEM_exchange`, where no row was recorded: a chunk of several extents is done or not done.

use super::super::replay::Replay;
use super::{EBUSY, EINVAL, PIN_L1, on_guest};
use ptom::xen::exchange::Exchange;

/// Exchanges frames for one extent of order 1 at PFN 0x700; returns the verdict, how far it came, and
/// what was got.
fn two_for_one(guest: &Replay<'_>, given: [&str; 2]) -> (i64, usize, u64) {
    let given = given.map(|role| guest.names.mfn(role));
    let mut wanted = [0x700];
    let mut exchange = Exchange {
        given: &given,
        given_order: 0,
        wanted: &mut wanted,
        wanted_order: 1,
        done: 0,
    };
    let rc = guest.with(|raw| raw.exchange(&mut exchange));
    (rc, exchange.done, wanted[0])
}

fn unmap(guest: &Replay<'_>, role: &str) {
    let va = guest.names.va(role);
    assert_eq!(guest.with(|raw| raw.update_va_mapping(va, 0, 2)), 0);
}

#[test]
fn a_chunk_that_cannot_be_is_given_back() {
    on_guest(|guest| {
        unmap(guest, "E0");
        let m2p = |mfn| guest.with(|raw| raw.m2p(mfn));
        let owned = guest.with(|raw| raw.current_reservation());
        for second in ["E1", "E0", "FOREIGN", "SHARED_INFO", "MFN_ZERO", "MFN_OOR"] {
            let (rc, done, got) = two_for_one(guest, ["E0", second]);
            assert_eq!((rc, done, got), (EINVAL, 0, 0x700), "{second}");
            assert_eq!(m2p(guest.names.mfn("E0")), guest.names.pfn("E0"));
        }
        assert_eq!(guest.with(|raw| raw.current_reservation()), owned);
        assert_eq!(guest.remap("E0", "0x5"), 0, "the guest's, and not in use");
        assert_eq!(guest.extended(PIN_L1, "E0", "0"), 0);
    });
}

#[test]
fn a_chunk_that_can_be_is_others_frames() {
    let (machine, run) = super::fresh();
    let guest = &Replay::new(&machine, &run);
    unmap(guest, "E0");
    unmap(guest, "E1");
    let owned = guest.with(|raw| raw.current_reservation());
    let (rc, done, got) = two_for_one(guest, ["E0", "E1"]);
    assert_eq!((rc, done), (0, 2));
    let m2p = |mfn| guest.with(|raw| raw.m2p(mfn));
    assert_eq!([m2p(got), m2p(got + 1)], [0x700, 0x701]);
    assert_eq!(m2p(guest.names.mfn("E1")), u64::MAX);
    assert_eq!(guest.with(|raw| raw.current_reservation()), owned);
    assert_eq!(guest.remap("E1", "0x5"), EBUSY, "nobody's now");
}
