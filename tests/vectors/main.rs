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
mod in_words;
mod issue;
mod linear;
mod lost;
mod names;
mod reader;
mod replay;
mod reservation;
mod suspend;
mod ways;

use names::Told;
use replay::{Compared, Replay};
use serde_json::Value;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::{env, fs};

/// A file: what was recorded with its rows, and they.
fn read(file: &Path) -> Told<(Value, Vec<Value>)> {
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    let lines = text.lines().enumerate();
    let mut rows = Vec::new();
    for (at, line) in lines.filter(|(_, line)| !line.is_empty()) {
        let row = serde_json::from_str::<Value>(line);
        rows.push(row.map_err(|error| format!("line {}: {error}", at + 1))?);
    }
    if rows.is_empty() {
        return Err("no first line".to_owned());
    }
    Ok((rows.remove(0), rows))
}

/// Where the recorded files are.
fn truth() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/truth")
}

/// One of them.
fn recorded(file: &str) -> (Value, Vec<Value>) {
    read(&truth().join(file)).unwrap()
}

/// What came of a file.
struct Replayed {
    rows: usize,
    /// What differs, row by row.
    wrong: Vec<String>,
    /// Rows that nothing can be compared of: which, and why.
    not: Vec<String>,
}

/// Replays a file. A row that nobody understands differs; so does one that has us panic.
fn replay(path: &Path) -> Replayed {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let mut came = Replayed {
        rows: 0,
        wrong: Vec::new(),
        not: Vec::new(),
    };
    if let Err(what) = replay_rows(path, &file, &mut came) {
        came.wrong.push(format!("{file}: {what}"));
    }
    came
}

fn replay_rows(path: &Path, file: &str, came: &mut Replayed) -> Told<()> {
    let (run, vectors) = read(path)?;
    came.rows = vectors.len();
    let machine = boot::machine(&run)?;
    let mut replay = Replay::of(&machine, &run)?;
    for (at, row) in vectors.iter().enumerate() {
        let id = row["id"].as_str().unwrap_or("note");
        let setup = row["setup"].as_str().or(row["place"].as_str());
        let named = |what: &str| format!("{file} {id} ({}): {what}", setup.unwrap_or(""));
        let compared = AssertUnwindSafe(|| replay.row(row, &vectors[at + 1..]));
        match catch_unwind(compared) {
            Ok(Ok(Compared::With(wrong))) => came.wrong.extend(wrong.iter().map(|w| named(w))),
            Ok(Ok(Compared::Not(why))) => came.not.push(named(why)),
            Ok(Err(what)) => came.wrong.push(named(&format!("not understood: {what}"))),
            Err(_) => came.wrong.push(named("panicked")),
        }
    }
    let end = replay.end();
    came.wrong.extend(end.map(|what| format!("{file}: {what}")));
    Ok(())
}

/// Fails with all that differs.
fn agree(wrong: &[String]) {
    let told = wrong.join("\n");
    assert!(wrong.is_empty(), "{} differ:\n{told}", wrong.len());
}

/// Replays a file; `rows` is how many it must have, so that a shortened one is no pass.
fn agrees(file: &str, rows: usize) {
    let came = replay(&truth().join(file));
    agree(&came.wrong);
    assert_eq!(came.rows, rows, "{file}");
    assert!(came.not.is_empty(), "not compared: {:?}", came.not);
}

/// Every `vectors-*.jsonl` in a directory, replayed.
fn all_in(dir: &Path) -> Replayed {
    let mut files: Vec<PathBuf> = fs::read_dir(dir)
        .unwrap_or_else(|error| panic!("{}: {error}", dir.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("vectors-") && name.ends_with(".jsonl")
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no vectors-*.jsonl in {}", dir.display());
    let mut all = Replayed {
        rows: 0,
        wrong: Vec::new(),
        not: Vec::new(),
    };
    for file in files {
        let came = replay(&file);
        println!("{}: {} rows", file.display(), came.rows);
        all.rows += came.rows;
        all.wrong.extend(came.wrong);
        all.not.extend(came.not);
    }
    all
}

/// Further files of the same recorder, in the directory that `PTOM_VECTORS` names; those here, else.
#[test]
fn whatever_else_was_recorded() {
    let dir = env::var_os("PTOM_VECTORS").map_or_else(truth, PathBuf::from);
    let came = all_in(&dir);
    for row in &came.not {
        println!("not compared: {row}");
    }
    agree(&came.wrong);
    let clock = format!(": {}", carried::RUNNING);
    let other = came.not.iter().find(|row| !row.ends_with(&clock));
    assert_eq!(other, None, "only a clock's rows cannot be compared");
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

/// Three of its rows are words that the clock goes on writing.
#[test]
fn what_a_suspend_carries() {
    let came = replay(&truth().join("vectors-tf.jsonl"));
    agree(&came.wrong);
    assert_eq!((came.rows, came.not.len()), (90, 3), "{:?}", came.not);
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
