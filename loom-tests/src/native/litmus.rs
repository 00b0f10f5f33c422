//! Litmus tests, a row each.

use super::arguments::Arguments;
use super::table::Table;
use ptom::conformance::native::litmus::{self, Verdict};
use std::io;

/// The columns.
const HEADER: [&str; 6] = [
    "test",
    "backend",
    "iterations",
    "both_zero",
    "expected",
    "verdict",
];

/// Runs all of them. What cannot be shown here is neither a pass nor a surprise.
///
/// # Errors
/// If standard output cannot be written.
pub fn run(arguments: &Arguments) -> io::Result<Table> {
    let mut table = Table::new(&HEADER)?;
    for row in litmus::all(arguments.plan.seed) {
        table.row(
            &[
                &row.test,
                &row.backend,
                &row.iterations,
                &row.both_zero,
                &row.expected,
                &row.verdict,
            ],
            row.verdict == Verdict::Fail,
        )?;
    }
    Ok(table)
}
