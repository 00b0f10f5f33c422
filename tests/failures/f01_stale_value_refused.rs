//! F1: a stale value is refused, and the guest panics.
//!
//! The lucky case: the old frame is nobody's, or another domain's, and Xen says so. NetBSD's queue
//! panics on it ("HYPERVISOR_mmu_update failed").

use crate::guest::{Cpu, Guest, KERNEL_L1, PAGE, Preempted, Shown, VA, of_every_scheme};
use crate::turns::{Turns, give_way};
use ptom::pmap::PageCache;
use ptom::scheme::Scheme;
use ptom::xen::{Errno, Mmu, MmuUpdate, Mode, NewPte, Pfn, Watched};

const DATA: Pfn = Pfn(500);

/// Maps a page: the value is translated before the preemption, the address after it.
fn map<S: Scheme<Turns>>(cpu: &Cpu<S>) -> Result<(), Errno> {
    let watched = Watched::new(cpu);
    let hold = watched.hold();
    let page = hold.mfn(DATA).unwrap();
    give_way();
    let entry = hold.mfn(KERNEL_L1).unwrap().entry(3);
    let update = MmuUpdate::normal(entry, NewPte::map(page, PAGE));
    let done = hold.access().mmu_update(&[update]);
    done.map(drop).map_err(|refused| refused.errno)
}

struct AStaleValue;

impl Shown for AStaleValue {
    fn of<S: Scheme<Turns>>() {
        let guest = Guest::<S>::with(0);
        let verdict = guest.race(Mode::Fresh, map::<S>);
        if S::CLAIMS.holds {
            assert_eq!(verdict, Ok(()), "{}", S::NAME);
            return guest.assert_sound();
        }
        assert_eq!(verdict, Err(Errno::Busy), "{}", S::NAME);
        assert_eq!(
            guest.broken(),
            [
                "I1: vCPU 0 used 1 MFNs of another incarnation",
                "I1: vCPU 0 named 1 frames that it did not mean",
                "I2: vCPU 0 was in a hold at 1 suspend hypercalls",
            ]
        );
    }
}

#[test]
fn a_stale_value_is_refused() {
    of_every_scheme::<AStaleValue>();
}

struct AStaleEnter;

impl Shown for AStaleEnter {
    fn of<S: Scheme<Turns>>() {
        let guest = Guest::<S>::with(1);
        let (pmap, _) = guest.processes[0];
        let page = guest.page();
        let entered = guest.race(Mode::Fresh, move |cpu| {
            let cache = &mut PageCache::default();
            let kernel = &guest.kernel;
            kernel.enter(&Preempted(cpu), cache, pmap, VA, page, true)
        });
        let errno = entered.map_err(|error| error.errno());
        if S::CLAIMS.holds {
            assert_eq!(errno, Ok(()), "{}", S::NAME);
            assert_eq!(guest.kernel.extract(&guest.cpu(), pmap, VA), Some(page));
            guest.assert_sound();
        } else {
            // The entry's address is stale too, and is looked at first.
            assert_eq!(errno, Err(Some(Errno::Inval)), "{}", S::NAME);
        }
    }
}

#[test]
fn a_whole_pmap_enter_is_refused() {
    of_every_scheme::<AStaleEnter>();
}
