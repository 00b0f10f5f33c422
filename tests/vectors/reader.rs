//! The reader itself: what it does with rows that it was not written for, and with wrong ones.

use super::{Compared, Replay, boot, recorded, replay};
use serde_json::{Value, json};
use std::fs;

/// Replays rows as a file of their own; returns what differs.
fn rows(name: &str, rows: &[Value]) -> Vec<String> {
    let (run, _) = recorded("vectors-a.jsonl");
    file(name, &run, rows)
}

fn file(name: &str, run: &Value, rows: &[Value]) -> Vec<String> {
    let path = std::env::temp_dir().join(format!("vectors-{name}-{}.jsonl", std::process::id()));
    let lines = std::iter::once(run).chain(rows);
    let text: Vec<String> = lines.map(Value::to_string).collect();
    fs::write(&path, text.join("\n")).unwrap();
    let came = replay(&path);
    fs::remove_file(&path).unwrap();
    came.wrong
}

#[test]
fn a_row_that_nobody_understands_is_a_named_failure() {
    let call = |op: &str, args: Value, after: Value| json!({"id": "Z1", "setup": "new", "op": op, "args": args, "rc": 0, "done": 1, "after": after});
    let updated = |req: Value| {
        call(
            "mmu_update",
            json!({"dom": "SELF", "req": [req]}),
            json!({}),
        )
    };
    let mapped = |dom: &str, after| {
        let args = json!({"dom": dom, "va": "D0", "val": "D0|0x7", "flags": 2});
        call("update_va_mapping_otherdomain", args, after)
    };
    let kept = |rc: i64, place: &str, held: &str| json!({"id": "S", "suspend_rc": rc, "place": place, "held": held, "after": "translated|0x0"});
    for unknown in [
        call("grant_table_op", Value::Null, json!({})),
        call("read", Value::Null, json!({"result": "raw:0x0"})),
        call("vm_assist", Value::Null, json!({})),
        call("evtchn_op", Value::Null, json!({"result": "rc=0 port=3"})),
        call(
            "set_debugreg(9,0x0)",
            Value::Null,
            json!({"result": "rc=0 get=0x0"}),
        ),
        call("info", Value::Null, json!({"result": "colour=0x1"})),
        call(
            "memory_op",
            json!({"sub": "exchange", "order": 0, "list": []}),
            json!({}),
        ),
        call("mmuext_op", json!([{"cmd": "FLY"}]), json!({})),
        updated(json!({"ptr": "D0", "cmd": 0, "val": "0"})),
        updated(json!({"ptr": "Q7+0x0", "cmd": 0, "val": "0"})),
        updated(json!({"ptr": "D0+0x0", "cmd": 0, "val": "pfn:0xfffff|0x1"})),
        updated(json!({"ptr": "D0+0x0", "val": "0"})),
        mapped("other", json!({})),
        mapped("SELF", json!({"nonsense": "0"})),
        mapped("SELF", json!({"pte(Q7)": "0"})),
        mapped("SELF", json!({"list": ["D0"]})),
        json!({"id": "Z1"}),
        json!({"note": "the guest was given a hat"}),
        kept(0, "in a drawer", "D0"),
        kept(0, "register rzx", "D0"),
        kept(0, "register rbx", "Q7"),
        kept(2, "register rbx", "D0"),
        json!({"id": "TS", "suspend_rc": 0, "place": "start_info+0x70 mod_start", "before": "0x1",
            "after": "0x1", "class": "blue"}),
    ] {
        let wrong = rows("unknown", std::slice::from_ref(&unknown));
        let [only] = &wrong[..] else {
            panic!("{unknown}: {wrong:?}");
        };
        assert!(only.contains("not understood"), "{unknown}: {only}");
        assert!(!only.contains("panicked"), "{unknown}: {only}");
    }
    let (mut run, _) = recorded("vectors-a.jsonl");
    run["nr_pages"] = json!(3);
    assert_eq!(file("small", &run, &[]).len(), 1);
    run["nr_pages"] = Value::Null;
    assert_eq!(file("none", &run, &[]).len(), 1);
}

/// The recorded rows of a suspend that was not cancelled, as those of one that was.
fn cancelled(file: &str) -> (Value, Vec<Value>) {
    let (run, mut rows) = recorded(file);
    for row in rows.iter_mut().filter(|row| row["suspend_rc"].is_i64()) {
        row["suspend_rc"] = json!(1);
        if row["count"].is_u64() {
            row["count"] = json!(0);
        } else if row["held"].is_string() {
            let after = row["after"].as_str().unwrap();
            let flags = after.split_once('|').unwrap().1.to_owned();
            if !after.starts_with("unchanged") {
                row["after"] = json!(format!("same_mfn_before_and_after|{flags}"));
            }
        } else if row["class"].is_string() || row["before"].is_string() {
            let before = row.get("before").or(row.get("before(at the hypercall)"));
            row["after"] = before.unwrap().clone();
            row["class"] = json!("same");
        }
    }
    (run, rows)
}

#[test]
fn a_cancelled_suspend_changes_nothing() {
    for name in ["vectors-sf.jsonl", "vectors-tf.jsonl"] {
        let (run, rows) = cancelled(name);
        assert_eq!(file("cancelled", &run, &rows), [""; 0], "{name}");
        // The same rows of a suspend that was not: every number that moved differs.
        let mut moved = rows;
        for row in moved.iter_mut().filter(|row| row["suspend_rc"].is_i64()) {
            row["suspend_rc"] = json!(0);
        }
        let differ = file("moved", &run, &moved).len();
        assert!(differ > 10, "{name}: only {differ} differ");
    }
}

#[test]
fn every_fact_of_a_suspend_is_compared() {
    for name in ["vectors-sf.jsonl", "vectors-tf.jsonl"] {
        let (run, rows) = recorded(name);
        for (at, row) in rows.iter().enumerate() {
            let clock = row["place"]
                .as_str()
                .is_some_and(|place| place.contains("time.v"));
            let clock = clock || row["place"].to_string().contains("time.tsc_time");
            let clock = clock || row["place"].to_string().contains("time.system");
            if row["place"].is_null() || clock {
                continue;
            }
            let mut lie = rows.clone();
            if row["count"].is_u64() {
                lie[at]["count"] = json!(62);
            } else if row["class"] == "changed" {
                lie[at]["class"] = json!("same");
            } else if row["place"]
                .as_str()
                .unwrap()
                .starts_with("start_info+0x28")
            {
                continue;
            } else {
                lie[at]["after"] = json!("0x5a5a");
            }
            assert_eq!(file("lie", &run, &lie).len(), 1, "{name}: {row}");
        }
    }
}

#[test]
fn a_run_without_rows_after_its_suspend_failed() {
    let (run, mut rows) = recorded("vectors-i1.jsonl");
    rows.retain(|row| !row["id"].as_str().unwrap().starts_with('J'));
    let wrong = file("ends", &run, &rows);
    assert!(
        wrong.len() == 1 && wrong[0].contains("fails to pin"),
        "{wrong:?}"
    );
    let machine = boot::machine(&run).unwrap();
    let mut guest = Replay::new(&machine, &run);
    let row = json!({"id": "J1", "setup": "", "op": "read_m2p", "args": "D0", "rc": null, "done": null,
        "after": {"m2p(D0)": "PFN_D0"}});
    assert!(matches!(guest.row(&row, &[]), Ok(Compared::With(wrong)) if wrong.is_empty()));
    assert_eq!(guest.suspended, Some(Ok(())));
}
