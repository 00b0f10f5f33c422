//! F9: a page table under construction, not pinned yet, is not canonicalised.
//!
//! The tools translate what *is* a page table. A page that will be one is data to them: the MFNs that the
//! guest has already written into it come back as they were. A lock does not help where the construction
//! takes more than one hold. Linux pins every table before a save (`xen_mm_pin_all`); the pmap here pins
//! an empty root first and fills it by hypercalls.

use crate::guest::{Cpu, Guest, PAGE, Shown, of_every_scheme};
use crate::turns::{Turns, give_way};
use ptom::scheme::{Scheme, percpu::PerCpu};
use ptom::suspend::suspend;
use ptom::xen::{Access, Errno, Mmu, MmuUpdate, Mode, NewPte, Pfn};

const TABLE: Pfn = Pfn(500);
const DATA: Pfn = Pfn(501);
const INDEX: usize = 3;

/// Writes an entry into the page that will be a table, or into the table.
fn fill(access: Access<'_, Turns>) -> Result<usize, Errno> {
    let [table, page] = [TABLE, DATA].map(|pfn| access.mfn(pfn).unwrap());
    let update = MmuUpdate::normal(table.entry(INDEX), NewPte::map(page, PAGE));
    access.mmu_update(&[update]).map_err(|r| r.errno)
}

fn pin(access: Access<'_, Turns>) -> Result<(), Errno> {
    let pinned = access.pin(access.mfn(TABLE).unwrap(), 1);
    pinned.map_err(|refused| refused.errno)
}

/// Which page the entry maps.
fn mapped(access: Access<'_, Turns>) -> Option<Pfn> {
    let entry = access.read(access.mfn(TABLE).unwrap(), INDEX);
    entry.mfn().and_then(|mfn| access.pfn(mfn))
}

/// Builds a table in two holds, with a whole suspend in between; the lock is sound.
fn in_two_holds(mode: Mode, pin_first: bool) -> (Result<(), Errno>, Option<Pfn>) {
    let guest = Guest::<PerCpu<Turns>>::with(0);
    let mut cpu = guest.cpu();
    let early = {
        let hold = cpu.hold();
        let early = pin_first.then(|| pin(hold.access()));
        assert_eq!(fill(hold.access()), Ok(1));
        early
    };
    let _ = suspend(&mut cpu, &guest.kernel, mode).unwrap();
    let hold = cpu.hold();
    let verdict = early.unwrap_or_else(|| pin(hold.access()));
    // No hypercall was given a stale number: the oracle of uses sees nothing here.
    assert_eq!(guest.machine.guest().verdicts().stale_uses, 0);
    (verdict, mapped(hold.access()))
}

#[test]
fn what_was_written_before_the_pin_is_refused_after_a_suspend() {
    assert_eq!(in_two_holds(Mode::Fresh, false), (Err(Errno::Busy), None));
}

#[test]
fn or_maps_another_page_and_nobody_is_told() {
    let outcomes: Vec<_> = (0..16)
        .map(|seed| in_two_holds(Mode::Deranged { seed }, false))
        .collect();
    let wrong = |(said, page): &&(Result<(), Errno>, Option<Pfn>)| {
        said.is_ok() && page.is_some_and(|page| page != DATA)
    };
    assert!(outcomes.iter().filter(wrong).count() > 8, "{outcomes:?}");
    assert!(outcomes.iter().all(|(_, page)| *page != Some(DATA)));
}

#[test]
fn a_table_pinned_before_it_is_filled_comes_back_right() {
    for mode in [Mode::Fresh, Mode::Deranged { seed: 1 }] {
        assert_eq!(in_two_holds(mode, true), (Ok(()), Some(DATA)));
    }
}

/// Builds it in one hold, and is preempted in the middle.
fn in_one_hold<S: Scheme<Turns>>(cpu: &Cpu<S>) -> (Result<(), Errno>, Option<Pfn>) {
    let hold = cpu.hold();
    assert_eq!(fill(hold.access()), Ok(1));
    give_way();
    (pin(hold.access()), mapped(hold.access()))
}

struct Preempted;

impl Shown for Preempted {
    fn of<S: Scheme<Turns>>() {
        let guest = Guest::<S>::with(0);
        let built = guest.race(Mode::Fresh, in_one_hold::<S>);
        match S::CLAIMS.holds {
            true => assert_eq!(built, (Ok(()), Some(DATA)), "{}", S::NAME),
            false => assert_eq!(built, (Err(Errno::Busy), None), "{}", S::NAME),
        }
    }
}

#[test]
fn one_hold_round_the_construction_is_enough() {
    of_every_scheme::<Preempted>();
}
