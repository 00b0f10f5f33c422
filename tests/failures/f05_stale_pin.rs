//! F5: a stale frame is pinned, or loaded as a root.
//!
//! Refused if nobody has it. Else another page becomes a page table, which its owner may write no more;
//! or the vCPU runs in the address space of another process.

use crate::guest::{Cpu, Guest, KERNEL_L1, PAGE, Preempted, Shown, level_of, of_every_scheme};
use crate::turns::{Turns, give_way};
use ptom::scheme::Scheme;
use ptom::xen::{Errno, Mfn, Mmu, MmuUpdate, Mode, NewPte, Pfn};

const DATA: std::ops::Range<u64> = 400..500;
const PROCESSES: usize = 40;
/// A root in another's place is rare: so many derangements have one.
const SEEDS: u64 = 32;

/// Pins a data page as an L1 table: one whose old frame is another one's by then, if there is one.
/// Returns the page that was meant, the one that is a table now, what Xen said, and what it says to
/// the owner of that page, who maps it writable.
fn pin<S: Scheme<Turns>>(cpu: &Cpu<S>) -> (Pfn, Option<Pfn>, Result<(), Errno>, Option<Errno>) {
    let hold = cpu.hold();
    let access = hold.access();
    let registers: Vec<(Pfn, Mfn<'_>)> = DATA
        .map(|pfn| (Pfn(pfn), hold.mfn(Pfn(pfn)).unwrap()))
        .collect();
    give_way();
    let is_anothers = |(meant, mfn): &&(Pfn, Mfn<'_>)| {
        let now = access.pfn(*mfn).filter(|now| now != meant);
        now.is_some_and(|now| DATA.contains(&now.0))
    };
    let (meant, mfn) = registers.iter().find(is_anothers).unwrap_or(&registers[0]);
    let said = access.pin(*mfn, 1).map_err(|refused| refused.errno);
    let pinned = DATA.map(Pfn).find(|pfn| level_of(access, *pfn) == Some(1));
    let entry = hold.mfn(KERNEL_L1).unwrap().entry(3);
    let use_of = |pfn| {
        let val = NewPte::map(hold.mfn(pfn).unwrap(), PAGE);
        access.mmu_update(&[MmuUpdate::normal(entry, val)]).err()
    };
    let owner = pinned.and_then(use_of);
    (*meant, pinned, said, owner.map(|refused| refused.errno))
}

struct AStalePin;

impl Shown for AStalePin {
    fn of<S: Scheme<Turns>>() {
        let guest = Guest::<S>::with(1);
        let (meant, pinned, said, _) = guest.race(Mode::Fresh, pin::<S>);
        let expected = match S::CLAIMS.holds {
            true => (Some(meant), Ok(())),
            false => (None, Err(Errno::Inval)),
        };
        assert_eq!((pinned, said), expected, "{}", S::NAME);
        let guest = Guest::<S>::with(1);
        let (meant, pinned, said, owner) = guest.race(Mode::Deranged { seed: 1 }, pin::<S>);
        assert_eq!(said, Ok(()), "Xen says nothing: {}", S::NAME);
        let pinned = pinned.expect("some page is a table now");
        assert_eq!(pinned == meant, S::CLAIMS.holds, "{}", S::NAME);
        assert_eq!(owner, Some(Errno::Busy), "it is a table");
        let stale = guest.machine.guest().verdicts().stale_uses;
        assert_eq!(stale, u64::from(!S::CLAIMS.holds), "{}", S::NAME);
    }
}

#[test]
fn a_stale_pin_takes_another_page_away() {
    of_every_scheme::<AStalePin>();
}

/// Loads a root: one whose old frame is another root's by then, if there is one; else none in a control.
/// Returns the root that was meant, the one that is loaded, and what Xen said.
fn load<S: Scheme<Turns>>(
    guest: &'static Guest<S>,
    cpu: &Cpu<S>,
) -> Option<(Pfn, Option<Pfn>, Result<(), Errno>)> {
    let hold = cpu.hold();
    let access = hold.access();
    let roots = guest
        .processes
        .iter()
        .map(|(pmap, _)| guest.kernel.root(*pmap));
    let registers: Vec<(Pfn, Mfn<'_>)> = roots.map(|r| (r, hold.mfn(r).unwrap())).collect();
    give_way();
    let is_anothers = |(meant, mfn): &&(Pfn, Mfn<'_>)| {
        let now = access.pfn(*mfn).filter(|now| now != meant);
        now.is_some_and(|now| level_of(access, now) == Some(4))
    };
    let (meant, mfn) = match registers.iter().find(is_anothers) {
        Some(found) => found,
        None if S::CLAIMS.holds => &registers[0],
        None => return None,
    };
    let said = access.load(*mfn).map_err(|refused| refused.errno);
    Some((*meant, access.loaded(), said))
}

struct AStaleRoot;

impl Shown for AStaleRoot {
    fn of<S: Scheme<Turns>>() {
        let (meant, loaded, said) = (0..SEEDS)
            .find_map(|seed| {
                let guest = Guest::<S>::with(PROCESSES);
                guest.race(Mode::Deranged { seed }, move |cpu| load(guest, cpu))
            })
            .expect("a derangement with a root in another's place");
        assert_eq!(said, Ok(()), "Xen says nothing: {}", S::NAME);
        let loaded = loaded.expect("a root of the guest's");
        assert_eq!(loaded == meant, S::CLAIMS.holds, "{}", S::NAME);
    }
}

#[test]
fn a_stale_root_runs_another_process() {
    of_every_scheme::<AStaleRoot>();
}

struct AStaleLoad;

impl Shown for AStaleLoad {
    fn of<S: Scheme<Turns>>() {
        let guest = Guest::<S>::with(1);
        let (pmap, _) = guest.processes[0];
        let kernel = &guest.kernel;
        let loaded = guest.race(Mode::Fresh, move |cpu| kernel.load(&Preempted(cpu), pmap));
        let errno = loaded.map_err(|error| error.errno());
        let expected = match S::CLAIMS.holds {
            true => Ok(()),
            false => Err(Some(Errno::Inval)),
        };
        assert_eq!(errno, expected, "{}", S::NAME);
    }
}

#[test]
fn a_root_that_nobody_has_is_refused() {
    of_every_scheme::<AStaleLoad>();
}
