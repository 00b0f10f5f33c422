//! F21: an entry that was read in one incarnation is translated back in the next.
//!
//! `pmap_remove` reads an entry and zeroes it, has the other CPUs flush their TLBs, and then asks the
//! M2P whose frame was in it, to take the mapping off that page's list. A migration in between, and
//! the answer is another page, or none. NetBSD panics if the mapping is not on that page's list; without
//! that check the list of the right page goes on naming an address that maps something else by then,
//! and whoever frees the page unmaps that, or never finishes.
//!
//! Absent under every sound scheme: the hold spans the reading and the translation.

use crate::preempted::{Preempted, Suspender};
use ptom::backend::Native;
use ptom::pmap::{Kernel, PageCache, PmapError, PvEntry, Range};
use ptom::scheme::Scheme;
use ptom::scheme::percpu::PerCpu;
use ptom::scheme::unprotected::Unprotected;
use ptom::xen::{Config, Machine, Mode, Pfn, Va};
use std::thread;

const VA: Va = Va(0x40_0000);
/// Of the points in a remove: the one after the entry was zeroed, before it is translated back.
const FLUSHING: u32 = 2;

/// What the user of a real system would see.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    removed: Result<(), PmapError>,
    /// Mappings that the page's list still names: there is none.
    ghosts: Vec<PvEntry>,
    /// Another page comes to the same address; then the first one is unmapped from wherever it is.
    page_removed: Result<(), PmapError>,
    /// The other page, which has nothing to do with it, is still there.
    other_mapped: bool,
    stale_uses: u64,
}

fn removed_across_a_migration<S: Scheme<Native>>(mode: Mode) -> Seen {
    let machine = Machine::<Native, S>::new(Config::new(256, 2)).unwrap();
    let vcpu = machine.vcpu().unwrap();
    let kernel = &Kernel::boot(&vcpu, 2).unwrap();
    let cache = &mut PageCache::default();
    let pmap = kernel.create(&vcpu, cache).unwrap();
    let [page, other]: [Pfn; 2] = [(); 2].map(|()| kernel.take_page(cache).unwrap());
    kernel.enter(&vcpu, cache, pmap, VA, page, true).unwrap();
    let range = Range {
        page: VA.page(),
        pages: 1,
    };
    let removed = thread::scope(|scope| {
        let suspender = Suspender::spawn(scope, machine.vcpu().unwrap(), kernel, mode);
        let meet = || match S::CLAIMS.holds {
            true => suspender.ask(),
            false => drop(suspender.overtake(|| ()).unwrap()),
        };
        let preempted = Preempted::at(FLUSHING, &vcpu, &meet);
        let removed = kernel.remove(&preempted, cache, pmap, range);
        assert!(preempted.met());
        if S::CLAIMS.holds {
            let _ = suspender.ended().unwrap();
        }
        removed
    });
    assert_eq!(kernel.extract(&vcpu, pmap, VA), None, "zeroed in time");
    let ghosts = kernel.mappings(page);
    kernel.enter(&vcpu, cache, pmap, VA, other, true).unwrap();
    let page_removed = kernel.page_remove(&vcpu, cache, page);
    Seen {
        removed,
        ghosts,
        page_removed,
        other_mapped: kernel.extract(&vcpu, pmap, VA) == Some(other),
        stale_uses: machine.guest().verdicts().stale_uses,
    }
}

const MOVED: [Mode; 2] = [Mode::Fresh, Mode::Deranged { seed: 5 }];

#[test]
fn the_pages_list_goes_on_naming_what_is_gone() {
    for mode in MOVED {
        let seen = removed_across_a_migration::<Unprotected>(mode);
        assert_eq!(seen.removed, Ok(()), "nobody is told");
        assert_eq!(seen.ghosts.len(), 1, "{mode:?}: {seen:?}");
        assert_eq!(seen.ghosts[0].va, VA);
        // The original never finishes; here it is told that lists and tables are apart.
        assert_eq!(seen.page_removed, Err(PmapError::Mismatch));
        assert!(seen.other_mapped);
        assert_eq!(seen.stale_uses, 1);
    }
}

#[test]
fn a_hold_over_both_keeps_them_one() {
    for mode in MOVED {
        let seen = removed_across_a_migration::<PerCpu<Native>>(mode);
        let right = Seen {
            removed: Ok(()),
            ghosts: Vec::new(),
            page_removed: Ok(()),
            other_mapped: true,
            stale_uses: 0,
        };
        assert_eq!(seen, right, "{mode:?}");
    }
}

#[test]
fn a_cancelled_suspend_moves_nothing() {
    let seen = removed_across_a_migration::<Unprotected>(Mode::Cancelled);
    assert_eq!((seen.ghosts.len(), seen.stale_uses), (0, 0));
}
