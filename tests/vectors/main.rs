//! The simulated hypervisor held against a real one: every recorded hypercall, replayed in order.
//!
//! A file of `tests/truth` is the history of one guest on a real Xen 4.17. It is replayed on one
//! simulated guest, and each row must give the recorded answer: return value, entries done, and what
//! is read back, to the bit. A difference names the file, the row and what the row was for.

mod assist;
mod beyond;
mod boot;
mod calls;
mod carried;
mod issue;
mod linear;
mod lost;
mod names;
mod replay;
mod reservation;
mod suspend;
mod ways;

use replay::Replay;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// The rows of a file, and what was recorded with them.
fn read(file: &str) -> (Value, Vec<Value>) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/truth");
    let text = fs::read_to_string(dir.join(file)).unwrap();
    let mut rows = text.lines().filter(|line| !line.is_empty());
    let parse = |line| serde_json::from_str::<Value>(line).unwrap();
    let run = parse(rows.next().unwrap());
    (run, rows.map(parse).collect())
}

/// Replays a file; `rows` is how many it must have, so that a shortened one is no pass.
fn agrees(file: &str, rows: usize) {
    let (run, vectors) = read(file);
    assert_eq!(vectors.len(), rows, "{file}");
    let machine = boot::machine(&run);
    let mut replay = Replay::new(&machine, &run);
    let mut wrong = Vec::new();
    for row in &vectors {
        let said = |what: String| {
            let id = row["id"].as_str().unwrap_or("note");
            let setup = row["setup"].as_str().or(row["place"].as_str());
            format!("{file} {id} ({}): {what}", setup.unwrap_or(""))
        };
        wrong.extend(replay.row(row).into_iter().map(said));
    }
    wrong.extend(
        replay
            .end()
            .into_iter()
            .map(|what| format!("{file}: {what}")),
    );
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn updates_of_l1_tables_data_and_the_m2p() {
    agrees("vectors-a.jsonl", 169);
}

#[test]
fn updates_by_address() {
    agrees("vectors-b.jsonl", 62);
}

#[test]
fn updates_of_upper_tables_and_linear_entries() {
    agrees("vectors-l.jsonl", 186);
}

#[test]
fn the_reservation() {
    agrees("vectors-d.jsonl", 57);
}

#[test]
fn what_a_suspend_translates() {
    agrees("vectors-sf.jsonl", 137);
}

#[test]
fn linear_entries_left_in_place() {
    agrees("vectors-i1.jsonl", 28);
    agrees("vectors-i2.jsonl", 25);
    agrees("vectors-i3.jsonl", 28);
    agrees("vectors-i4.jsonl", 29);
}

#[test]
fn arguments_and_contents_of_every_kind() {
    agrees("vectors-e1.jsonl", 426);
    agrees("vectors-e2.jsonl", 183);
    agrees("vectors-e3.jsonl", 115);
}

#[test]
fn calls_drawn_at_random() {
    agrees("vectors-r1.jsonl", 500);
    agrees("vectors-r2.jsonl", 500);
    agrees("vectors-r3.jsonl", 500);
    agrees("vectors-r4.jsonl", 700);
}
