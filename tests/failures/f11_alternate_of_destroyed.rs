//! F11: an alternate slot still names a pmap that was destroyed.
//!
//! On one CPU NetBSD left the slot set: a cache. It holds a reference to the other root. That one goes to
//! the next process, which the window then shows; or it is unpinned, and stays a page table: the next owner
//! of the page may not write it. `pmap_destroy` had to empty such slots ("lazy APDP handling").

use crate::guest::{Guest, PAGE, VA, level_of};
use crate::turns::Turns;
use ptom::pmap::{ALTERNATE_SLOT, Alternate, Kernel, PageCache, User};
use ptom::scheme::percpu::PerCpu;
use ptom::xen::{Config, Errno, Machine, Mmu, MmuUpdate, NewPte, Pte, Va};

/// Addresses in the same table as [`VA`], and in another one.
const NEXT: Va = Va(VA.0 + 0x1000);
const ELSEWHERE: Va = Va(VA.0 + 0x20_0000);

#[test]
fn a_destroyed_pmap_that_is_named_stays_where_it_was() {
    let guest = Guest::<PerCpu<Turns>>::with(2);
    let kernel = &guest.kernel;
    let cpu = guest.cpu();
    let cache = &mut PageCache::default();
    let [(home, _), (other, page)] = guest.processes[..] else {
        unreachable!("two processes")
    };
    let gone = kernel.root(other);
    {
        // What a window leaves behind, in a kernel that has none and so looks for none.
        let hold = cpu.hold();
        let [visitor, named] = [kernel.root(home), gone].map(|pfn| hold.mfn(pfn).unwrap());
        let entry = visitor.entry(ALTERNATE_SLOT);
        let val = NewPte::map(named, Pte::P | Pte::US | Pte::A);
        hold.access()
            .mmu_update(&[MmuUpdate::normal(entry, val)])
            .unwrap();
    }
    kernel.destroy(&cpu, cache, other).unwrap();
    // The next process begins with that root: it is in the window.
    let next = kernel.create(&cpu, cache).unwrap();
    assert_eq!(kernel.root(next), gone);
    kernel.enter(&cpu, cache, next, VA, page, true).unwrap();
    kernel.load(&cpu, home).unwrap();
    {
        let hold = cpu.hold();
        let window = Va((ALTERNATE_SLOT as u64) << 39 | VA.0 >> 9);
        let shown = hold.access().peek_pte(window).unwrap();
        let shown_page = shown.mfn().and_then(|mfn| hold.access().pfn(mfn));
        assert_eq!(shown_page, Some(page));
        assert_eq!(shown.pte().flags() & PAGE, PAGE);
    }
    kernel.destroy(&cpu, cache, next).unwrap();
    // When the cache of roots lets it go, its page is on the free list, and still a page table; the
    // kernel faults when it zeroes it.
    assert_eq!(kernel.reap(&cpu, cache), Ok(1));
    assert_eq!(level_of(cpu.hold().access(), gone), Some(4));
    assert_eq!(guest.machine.guest().verdicts().faults, 1);
    // Whoever gets it may not have it: not as another table, which this address needs,
    let refused = kernel.enter(&cpu, cache, home, ELSEWHERE, page, true);
    assert_eq!(refused.unwrap_err().errno(), Some(Errno::Inval));
    // nor as a page that may be written.
    let refused = kernel.enter(&cpu, cache, home, NEXT, gone, true);
    assert_eq!(refused.unwrap_err().errno(), Some(Errno::Busy));
}

#[test]
fn destroy_empties_the_slots_that_name_it() {
    let machine = Machine::<Turns, PerCpu<Turns>>::new(Config::small()).unwrap();
    let cpu = machine.vcpu().unwrap();
    let mut kernel = Kernel::boot(&cpu, 4).unwrap();
    kernel.reach_by(Alternate::Lazy);
    let cache = &mut PageCache::default();
    let [home, other] = [(); 2].map(|()| kernel.create(&cpu, cache).unwrap());
    let gone = kernel.root(other);
    kernel.load(&cpu, home).unwrap();
    {
        let hold = cpu.hold();
        let window = kernel
            .map_ptes(hold.access(), other, User::Extract)
            .unwrap();
        window.unmap().unwrap();
    }
    assert_eq!(kernel.slots_set(&cpu), 1);
    kernel.destroy(&cpu, cache, other).unwrap();
    assert_eq!(kernel.slots_set(&cpu), 0);
    // Its root is an ordinary page again, once the cache of roots lets it go. (The tables come from elsewhere.)
    assert_eq!(kernel.reap(&cpu, cache), Ok(1));
    let tables = &mut PageCache::default();
    kernel.enter(&cpu, tables, home, VA, gone, true).unwrap();
    assert_eq!(kernel.extract(&cpu, home, VA), Some(gone));
    assert!(machine.guest().verdicts().clean());
    assert_eq!(machine.guest().broken(), []);
}
