//! Linear entries left in place across a save: which restores fail, of all that were tried on a real Xen,
//! and which failed when restorers pinned before they loaded the roots (by its source).

use super::calls::fresh;
use super::replay::Replay;
use ptom::xen::save::Failed;
use ptom::xen::{Domid, Era};

/// One run: its name in the record, which table names which, which was unpinned then, and how the
/// restore ended.
struct Case {
    run: &'static str,
    entries: &'static [(&'static str, &'static str)],
    unpinned: Option<&'static str>,
    ends: Result<(), Failed>,
    /// The same with the pins before the roots.
    pins_first: Result<(), Failed>,
}

const fn works(run: &'static str, entries: &'static [(&'static str, &'static str)]) -> Case {
    Case {
        run,
        entries,
        unpinned: None,
        ends: Ok(()),
        pins_first: Ok(()),
    }
}

const fn fails(run: &'static str, entries: &'static [(&'static str, &'static str)]) -> Case {
    Case {
        ends: Err(Failed::Pin),
        pins_first: Err(Failed::Pin),
        ..works(run, entries)
    }
}

/// The loaded root is one of the two: it is validated first now, and was in its turn before.
const fn pinned_first(pins_first: Result<(), Failed>, case: Case) -> Case {
    Case { pins_first, ..case }
}

const fn unpinned(role: &'static str, case: Case) -> Case {
    Case {
        unpinned: Some(role),
        ..case
    }
}

/// Of two tables the one without a letter has the lower PFN; the active root is above them all.
const CASES: [Case; 17] = [
    works("i1", &[("L4CUR", "L4CUR")]),
    fails("i2", &[("T4", "T4b")]),
    works("i3", &[("T4b", "T4")]),
    works("i4", &[("T4", "T4")]),
    pinned_first(Err(Failed::Pin), works("i5", &[("T4", "L4CUR")])),
    pinned_first(Ok(()), fails("i6", &[("L4CUR", "T4")])),
    fails("i7", &[("T2", "T2b")]),
    unpinned("T4b", works("i8", &[("T4", "T4b")])),
    unpinned("T4", works("i9", &[("T4b", "T4")])),
    fails("ia", &[("T4b", "T3"), ("T4", "T4b")]),
    works("ib", &[("T4", "T3"), ("T4b", "T4")]),
    pinned_first(Ok(()), fails("ic", &[("T4", "T3"), ("L4CUR", "T4")])),
    fails("r7", &[("T3", "T3b")]),
    works("r8", &[("T3b", "T3")]),
    works("r9", &[("T2b", "T2")]),
    fails("ra", &[("T4b", "T4b"), ("T4", "T4b")]),
    fails("rb", &[("T4", "T4"), ("T4", "T4b"), ("T4c", "T4b")]),
];

fn ends(case: &Case, era: Era) -> Result<(), Failed> {
    let (machine, run) = fresh();
    machine.guest().as_of(era);
    let mut replay = Replay::new(&machine, &run);
    for (level, roles) in [(2, "T2 T2b"), (3, "T3 T3b"), (4, "T4 T4b T4c")] {
        roles.split(' ').for_each(|role| replay.table(role, level));
    }
    for (slot, (table, target)) in (300..).zip(case.entries) {
        let (ptr, val) = (format!("{table}+{:#x}", slot * 8), format!("{target}|0x1"));
        assert_eq!(replay.update(&ptr, &val, Domid::SELF), 0);
    }
    if let Some(role) = case.unpinned {
        assert_eq!(replay.extended(4, role, "0"), 0);
    }
    replay.suspend().map(|lost| assert_eq!(lost, 0))
}

#[test]
fn the_order_of_pins_decides_which_restores_fail() {
    for case in &CASES {
        assert_eq!(ends(case, Era::Now), case.ends, "{}", case.run);
    }
}

#[test]
fn pins_before_roots_fail_others() {
    for case in &CASES {
        let found = ends(case, Era::Before2015);
        assert_eq!(found, case.pins_first, "{}", case.run);
        // The pins have always been in the order of PFNs.
        let roots_first = ends(case, Era::Before2017);
        assert_eq!(roots_first, case.ends, "{}", case.run);
    }
}
