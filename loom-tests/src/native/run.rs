//! Stress, a row a scheme.

use super::arguments::Arguments;
use super::progress::shown;
use super::table::Table;
use ptom::conformance::native::outcome::Outcome;
use ptom::conformance::native::payload::{Payload, Words};
use ptom::conformance::native::plain::Plain;
use ptom::conformance::native::registry::{self, Case};
use ptom::scheme::Ours;
use std::io;

/// The columns.
const HEADER: [&str; 11] = [
    "scheme", "readers", "holds", "suspends", "waited", "torn", "stale", "seconds", "seed",
    "verdict", "expected",
];

/// Stresses every scheme, intact and harmed, that is wanted.
///
/// # Errors
/// If standard output cannot be written.
pub fn stress(arguments: &Arguments) -> io::Result<Table> {
    let mut table = Table::new(&HEADER)?;
    for case in registry::all::<Ours>().iter().chain(&registry::libraries()) {
        run(arguments, case, &Words::default(), &mut table)?;
    }
    Ok(table)
}

/// Stresses every scheme of ours that is wanted on plain memory. What was expected is for a sanitizer
/// to say: without one, x86 shows little of it, so that nothing counts as a surprise.
///
/// # Errors
/// If standard output cannot be written.
pub fn plain(arguments: &Arguments) -> io::Result<()> {
    let mut table = Table::new(&HEADER)?;
    for case in registry::sanitized::<Ours, _>() {
        // SAFETY: a scheme that keeps its promise excludes. The control races, and so does what runs
        // on a broken machine: both are here for a sanitizer to report.
        run(arguments, &case, &unsafe { Plain::new() }, &mut table)?;
    }
    Ok(())
}

fn run<P: Payload>(
    arguments: &Arguments,
    case: &Case<P>,
    payload: &P,
    table: &mut Table,
) -> io::Result<()> {
    if !arguments.wants(&case.name) {
        return Ok(());
    }
    let plan = arguments.plan;
    let outcome: Outcome = shown(&case.name, plan.holds, |quota| {
        (case.run)(plan, payload, quota)
    });
    let verdict = outcome.verdict();
    table.row(
        &[
            &case.name,
            &plan.readers,
            &outcome.holds,
            &outcome.suspends,
            &outcome.waited(),
            &outcome.torn,
            &outcome.stale,
            &format_args!("{:.3}", outcome.elapsed.as_secs_f64()),
            &plan.seed,
            &verdict,
            &case.expected,
        ],
        verdict != case.expected,
    )
}
