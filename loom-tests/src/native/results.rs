//! `results/stress.csv` and `results/litmus-native.csv`, and where they come from: `results/native.csv`.

use super::arguments::Arguments;
use super::{host, litmus, run};
use std::fs;
use std::io;
use std::path::Path;

/// Runs everything, and writes the files; returns how many rows surprised.
///
/// # Errors
/// If standard output or a file cannot be written.
pub fn write(arguments: &Arguments) -> io::Result<usize> {
    let mut origin = host::provenance();
    origin.push(("holds", arguments.plan.holds.to_string()));
    origin.push(("seed", arguments.plan.seed.to_string()));
    let litmus = litmus::run(arguments)?;
    let stress = run::stress(arguments)?;
    let surprises = litmus.surprises + stress.surprises;
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["name", "value"])?;
    for (name, value) in &origin {
        csv.write_record([name, value.as_str()])?;
    }
    let origin = csv.into_inner().map_err(|e| e.into_error())?;
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results");
    // All or nothing as far as possible: written only now that everything has run.
    fs::write(results.join("litmus-native.csv"), litmus.into_bytes()?)?;
    fs::write(results.join("stress.csv"), stress.into_bytes()?)?;
    fs::write(results.join("native.csv"), origin)?;
    Ok(surprises)
}
