//! Counts what a snapshot of each scheme writes, as CSV on standard output; `--write` rewrites
//! `results/snapshots.csv`. Fails if a scheme does not keep its promise.

use ptom::backend::Native;
use ptom::conformance::counting::{self, HEADER};
use ptom::scheme::Ours;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let write = match words.as_slice() {
        [] => false,
        [word] if word == "--write" => true,
        _ => {
            eprintln!("usage: snapshots [--write]");
            return ExitCode::from(2);
        }
    };
    let rows = counting::all::<Native, Ours>();
    let lines = rows.iter().map(|row| row.fields().join(","));
    let lines: Vec<String> = std::iter::once(HEADER.join(",")).chain(lines).collect();
    let text = lines.join("\n") + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/snapshots.csv");
    if write && let Err(error) = std::fs::write(path, &text) {
        eprintln!("snapshots: results/snapshots.csv: {error}");
        return ExitCode::from(2);
    }
    print!("{text}");
    ExitCode::from(u8::from(!rows.iter().all(counting::Row::is_expected)))
}
