//! Linear entries left in place across a save: which restores fail, of all twelve that were tried.

use super::boot::machine;
use super::replay::Replay;
use ptom::xen::Domid;
use ptom::xen::mmuext::MmuextOp;
use ptom::xen::raw::RawUpdate;
use ptom::xen::save::Failed;
use serde_json::json;

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
    let (run, _) = super::read("vectors-i1.jsonl");
    let machine = machine(&run);
    let mut replay = Replay::new(&machine, &run);
    let tables = [("T2", 1), ("T2b", 1), ("T3", 2), ("T4", 3), ("T4b", 3)];
    let pin = |replay: &Replay<'_>, role: &str, command| {
        let arg1 = replay.names.mfn(role);
        let op = MmuextOp {
            command,
            arg1,
            arg2: 0,
        };
        replay.with(|raw| raw.mmuext_op([Some(op)], None, Domid::SELF))
    };
    for (role, command) in tables {
        let flags = json!(format!("{role}|0x5"));
        let (va, val) = (replay.names.va(role), replay.value(&flags));
        assert_eq!(replay.with(|raw| raw.update_va_mapping(va, val, 0)), 0);
        assert_eq!(pin(&replay, role, command), 0);
    }
    let write = |replay: &Replay<'_>, table: &str, target: &str, index: u64| {
        let ptr = (replay.names.mfn(table) << 12) + index * 8;
        let val = replay.value(&json!(format!("{target}|0x1")));
        replay.with(|raw| raw.mmu_update([Some(RawUpdate { ptr, val })], None, Domid::SELF))
    };
    if let Some(below) = case.below {
        assert_eq!(write(&replay, case.to, below, 0), 0);
    }
    assert_eq!(write(&replay, case.from, case.to, 300), 0);
    if case.unpinned {
        assert_eq!(pin(&replay, case.to, 4), 0);
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
