//! F18: a suspend is cancelled, and start_info's rings stay the PFNs that were put there for the tools.
//!
//! Solaris and NetBSD did not turn them back: they crash the guest where the hypercall returns 1. Linux does
//! (`xen_arch_post_suspend(cancelled)`), and so does `post_suspend`. Without it the guest goes on, and maps
//! the console and the store by numbers that are not theirs.

use crate::guest::{Guest, KERNEL_L1, PAGE};
use crate::turns::Turns;
use ptom::scheme::percpu::PerCpu;
use ptom::suspend::suspend;
use ptom::xen::raw::RawUpdate;
use ptom::xen::{Domid, Mmu, Mode, Outcome, RawMfn};

type Sound = PerCpu<Turns>;

const EBUSY: i64 = -16;
/// The PFNs of the rings: after that of start_info.
const RINGS: [u64; 2] = [1, 2];

fn rings(guest: &Guest<Sound>) -> [u64; 2] {
    guest.machine.guest().rings()
}

/// Maps what start_info says to be a ring, as a driver does. What Xen says, and which frame is mapped.
fn map_ring(guest: &'static Guest<Sound>, ring: u64) -> (i64, RawMfn) {
    let cpu = guest.cpu();
    let hold = cpu.hold();
    let table = hold.mfn(KERNEL_L1).unwrap();
    let entry = table.entry(3);
    let request = RawUpdate {
        ptr: entry.raw(),
        val: ring << 12 | PAGE,
    };
    let raw = hold.access().raw();
    let rc = raw.mmu_update([Some(request)], None, Domid::SELF);
    (rc, hold.access().read(table, 3).pte().mfn())
}

/// The protocol, cancelled; its last step is left out.
fn cancelled_and_left() -> &'static Guest<Sound> {
    let guest = Guest::<Sound>::with(1);
    let mut cpu = guest.cpu();
    let mut world = cpu.suspend();
    world.canonicalise_rings();
    let register = world.start_info().unwrap();
    let outcome = world.hypercall(register, Mode::Cancelled).unwrap();
    assert_eq!(outcome, Outcome::Cancelled);
    drop(world);
    guest
}

#[test]
fn a_cancelled_suspend_leaves_pfns_where_mfns_must_be() {
    let guest = cancelled_and_left();
    assert_eq!(rings(guest), RINGS);
    assert_eq!(
        guest.broken(),
        [
            "I7: start_info's store ring is 1, no MFN of the guest's",
            "I7: start_info's console ring is 2, no MFN of the guest's",
        ]
    );
    // Frame 1 is the guest's shared_info: mapped in place of the store's ring, and nobody is told.
    let [store, console] = rings(guest);
    assert_eq!(map_ring(guest, store), (0, RawMfn(1)));
    // Frame 2 is nobody's: the console is refused.
    assert_eq!(map_ring(guest, console).0, EBUSY);
}

#[test]
fn post_suspend_turns_them_back() {
    let guest = Guest::<Sound>::with(1);
    let before = rings(guest);
    assert_ne!(before, RINGS);
    let outcome = suspend(&mut guest.cpu(), &guest.kernel, Mode::Cancelled).unwrap();
    assert_eq!(outcome, Outcome::Cancelled);
    assert_eq!(rings(guest), before);
    assert_eq!(map_ring(guest, before[0]), (0, RawMfn(before[0])));
    guest.assert_sound();
}

#[test]
fn a_restore_turns_them_into_new_mfns() {
    let guest = Guest::<Sound>::with(1);
    let before = rings(guest);
    let _ = suspend(&mut guest.cpu(), &guest.kernel, Mode::Fresh).unwrap();
    let host = guest.machine.guest().host();
    let after = rings(guest);
    assert!(before.iter().all(|old| !after.contains(old)));
    assert_eq!(after.map(|mfn| host.m2p(RawMfn(mfn)).unwrap().0), RINGS);
    guest.assert_sound();
}
