//! F4: a stale address of an entry lies in another page table now: another process is changed, rc 0.
//!
//! Xen checks the value, which is right, and writes it into the wrong table. Somebody else sees the
//! page of this process at an address where it had none, or another one.

use crate::guest::{Cpu, Guest, PAGE, Shown, VA, l1_of, of_every_scheme};
use crate::turns::{Turns, give_way};
use ptom::pmap::PmapId;
use ptom::scheme::Scheme;
use ptom::xen::{Errno, Mfn, Mmu, MmuUpdate, Mode, NewPte, Pfn, Va};

/// A page above that of each process.
const NEXT: Va = Va(VA.0 + 0x1000);
const PAGE_OF_THE_FIRST: Pfn = Pfn(500);
const PROCESSES: usize = 40;
/// A table for another's place is rare: so many derangements have one.
const SEEDS: u64 = 32;

/// Whose table was meant, and what Xen said; `None` where no old frame is another process's table.
type Written = Option<(PmapId, Result<usize, Errno>)>;

fn write<S: Scheme<Turns>>(guest: &'static Guest<S>, cpu: &Cpu<S>) -> Written {
    let hold = cpu.hold();
    let access = hold.access();
    let l1 = |pmap: PmapId| l1_of(access, guest.kernel.root(pmap), VA);
    let pmaps = guest.processes.iter().map(|(pmap, _)| *pmap);
    let registers: Vec<(PmapId, Pfn, Mfn<'_>)> = pmaps
        .map(|pmap| (pmap, l1(pmap), hold.mfn(l1(pmap)).unwrap()))
        .collect();
    give_way();
    let is_anothers = |(_, meant, mfn): &&(PmapId, Pfn, Mfn<'_>)| {
        let now = access.pfn(*mfn).filter(|now| now != meant);
        now.is_some_and(|now| registers.iter().any(|(_, table, _)| *table == now))
    };
    let (pmap, _, stale) = match registers.iter().find(is_anothers) {
        Some(found) => found,
        None if S::CLAIMS.holds => &registers[0],
        None => return None,
    };
    let val = NewPte::map(hold.mfn(PAGE_OF_THE_FIRST).unwrap(), PAGE);
    let update = MmuUpdate::normal(stale.entry(NEXT.index(1)), val);
    Some((*pmap, access.mmu_update(&[update]).map_err(|r| r.errno)))
}

struct AnotherProcess;

impl Shown for AnotherProcess {
    fn of<S: Scheme<Turns>>() {
        let (guest, (meant, said)) = (0..SEEDS)
            .find_map(|seed| {
                let guest = Guest::<S>::with(PROCESSES);
                let mode = Mode::Deranged { seed };
                let written = guest.race(mode, move |cpu| write(guest, cpu));
                Some((guest, written?))
            })
            .expect("a derangement with a table in another's place");
        assert_eq!(said, Ok(1), "Xen says nothing: {}", S::NAME);
        let cpu = guest.cpu();
        let sees = |pmap: &PmapId| guest.kernel.extract(&cpu, *pmap, NEXT);
        let pmaps = guest.processes.iter().map(|(pmap, _)| *pmap);
        let changed: Vec<_> = pmaps.filter(|pmap| sees(pmap).is_some()).collect();
        if S::CLAIMS.holds {
            assert_eq!(changed, [meant], "{}", S::NAME);
            return guest.assert_sound();
        }
        assert_eq!(changed.len(), 1, "{}", S::NAME);
        assert_ne!(changed, [meant], "{}", S::NAME);
        assert_eq!(sees(&changed[0]), Some(PAGE_OF_THE_FIRST));
        assert_eq!(guest.machine.guest().verdicts().stale_uses, 1);
    }
}

#[test]
fn a_stale_address_changes_another_process() {
    of_every_scheme::<AnotherProcess>();
}
