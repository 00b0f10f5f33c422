//! `results/schedules.csv`: what each check came to, the same bytes whenever plan and code are the same.

use super::check::Checked;
use crate::conformance::verdict::Expected;

/// The columns.
pub const HEADER: [&str; 11] = [
    "scheme",
    "world",
    "vcpus",
    "scheduler",
    "seed",
    "schedules",
    "steps",
    "stale uses",
    "verdict",
    "expected",
    "finding",
];

/// The row of a check.
pub fn row(checked: &Checked) -> Vec<String> {
    let verdict = |pass: bool| if pass { "pass" } else { "fail" }.to_owned();
    let failure = &checked.outcome.failure;
    vec![
        checked.scheme.to_owned(),
        checked.fences.to_owned(),
        checked.plan.world.vcpus.to_string(),
        checked.plan.picks.to_string(),
        checked.plan.seed.to_string(),
        checked.outcome.executions.to_string(),
        checked.steps.to_string(),
        checked.stale_uses.to_string(),
        verdict(failure.is_none()),
        verdict(checked.expected == Expected::Pass),
        failure.as_ref().map_or(String::new(), |f| f.to_string()),
    ]
}

/// One row, or the header, as a line of CSV.
///
/// # Errors
/// Those of the csv crate's writer; none in memory.
pub fn line<T: AsRef<[u8]>>(fields: &[T]) -> std::io::Result<String> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(fields)?;
    let bytes = csv.into_inner().map_err(|e| e.into_error())?;
    String::from_utf8(bytes).map_err(std::io::Error::other)
}
