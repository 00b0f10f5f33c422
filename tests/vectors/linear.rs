//! Linear entries left in place across a save: which restores fail, of all twelve that were tried.

use super::calls::fresh;
use super::replay::Replay;
use ptom::xen::Domid;
use ptom::xen::save::Failed;

/// One run: its name in the record, which table names which, what else was done, and how the
/// restore ended.
struct Case {
    run: &'static str,
    from: &'static str,
    to: &'static str,
    /// An entry in the named table, so that it is not empty.
    below: Option<&'static str>,
    /// The named table is no longer pinned.
    unpinned: bool,
    ends: Result<(), Failed>,
}

const fn case(run: &'static str, from: &'static str, to: &'static str) -> Case {
    Case {
        run,
        from,
        to,
        below: None,
        unpinned: false,
        ends: Ok(()),
    }
}

const fn fails(case: Case) -> Case {
    Case {
        ends: Err(Failed::Pin),
        ..case
    }
}

const fn filled(case: Case) -> Case {
    Case {
        below: Some("T3"),
        ..case
    }
}

const fn unpinned(case: Case) -> Case {
    Case {
        unpinned: true,
        ..case
    }
}

/// T4 is below T4b, T2 below T2b, and all are below the active root.
const CASES: [Case; 12] = [
    case("i1", "L4CUR", "L4CUR"),
    fails(case("i2", "T4", "T4b")),
    case("i3", "T4b", "T4"),
    case("i4", "T4", "T4"),
    case("i5", "T4", "L4CUR"),
    fails(case("i6", "L4CUR", "T4")),
    fails(case("i7", "T2", "T2b")),
    unpinned(case("i8", "T4", "T4b")),
    unpinned(case("i9", "T4b", "T4")),
    fails(filled(case("ia", "T4", "T4b"))),
    filled(case("ib", "T4b", "T4")),
    fails(filled(case("ic", "L4CUR", "T4"))),
];

fn ends(case: &Case) -> Result<(), Failed> {
    let (machine, run) = fresh();
    let mut replay = Replay::new(&machine, &run);
    for (role, level) in [("T2", 2), ("T2b", 2), ("T3", 3), ("T4", 4), ("T4b", 4)] {
        replay.table(role, level);
    }
    let write = |table: &str, index: u64, target: &str| {
        let ptr = format!("{table}+{:#x}", index * 8);
        replay.update(&ptr, &format!("{target}|0x1"), Domid::SELF)
    };
    if let Some(below) = case.below {
        assert_eq!(write(case.to, 0, below), 0);
    }
    assert_eq!(write(case.from, 300, case.to), 0);
    if case.unpinned {
        assert_eq!(replay.extended(4, case.to, "0"), 0);
    }
    replay.suspend_once();
    replay.suspended.unwrap()
}

#[test]
fn the_order_of_pins_decides_which_restores_fail() {
    for case in &CASES {
        assert_eq!(ends(case), case.ends, "{}", case.run);
    }
}
