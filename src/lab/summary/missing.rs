//! A row that is missing is an error: a scheme must not vanish from a table because it did badly.

use super::registry::Registered;
use crate::lab::peers::{self, KNOWN};
use crate::lab::store::{ResultsError, Run, shown};
use std::collections::BTreeSet;

/// The `workload` of an `errors.csv` line about suspends.
pub const SUSPEND: &str = "suspend";

/// How many missing rows an error names.
const NAMED: usize = 4;

/// Who must have rows: every scheme and every peer of a default build; and, where one of the others
/// has a row, those too, since they are built together or not at all. A run from before a peer was there need
/// not have it.
fn demanded<'r>(run: &Run, registered: &'r [Registered]) -> impl Iterator<Item = &'r str> {
    let optional = |name: &str| peers::named(name).is_some_and(|peer| peer.optional);
    let mut rows = run.samples.iter().map(|sample| sample.scheme.as_str());
    let mut failures = run.failures.iter().map(|failure| failure.scheme.as_str());
    let all = rows.any(optional) || failures.any(optional);
    let format = run.provenance.format;
    let peers = KNOWN
        .iter()
        .filter(move |peer| peer.since <= format && (all || !peer.optional));
    let schemes = registered.iter().map(|scheme| scheme.name);
    schemes.chain(peers.map(|peer| peer.name))
}

/// Checks that each scheme of `registered`, and each peer that the run had, has samples wherever any
/// scheme has some, or a line in `errors.csv`; a run restricted to some contenders needs those only.
///
/// # Errors
/// [`ResultsError::MissingRows`].
pub(super) fn check(run: &Run, registered: &[Registered]) -> Result<(), ResultsError> {
    let rows: BTreeSet<_> = run
        .samples
        .iter()
        .map(|s| (s.workload.name(), s.threads, s.scheme.as_str()))
        .collect();
    let suspends: BTreeSet<&str> = run.suspends.iter().map(|s| s.scheme.as_str()).collect();
    let failed: BTreeSet<_> = run
        .failures
        .iter()
        .map(|f| (f.workload.as_str(), f.threads, f.scheme.as_str()))
        .collect();
    let failed_suspend = |scheme: &str| failed.iter().any(|f| f.0 == SUSPEND && f.2 == scheme);
    let cells: BTreeSet<_> = rows.iter().map(|(w, threads, _)| (*w, *threads)).collect();
    let only = &run.provenance.only;

    let mut missing = Vec::new();
    for name in demanded(run, registered) {
        if !only.is_empty() && !only.iter().any(|wanted| wanted == name) {
            continue;
        }
        for &(workload, threads) in &cells {
            let key = (workload, threads, name);
            if !rows.contains(&key) && !failed.contains(&key) {
                missing.push(format!("{name} ({workload}, threads: {threads})"));
            }
        }
        if !suspends.is_empty() && !suspends.contains(name) && !failed_suspend(name) {
            missing.push(format!("{name} ({SUSPEND})"));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let more = missing.len().saturating_sub(NAMED);
    missing.truncate(NAMED);
    let mut text = missing.join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    Err(ResultsError::MissingRows {
        path: shown(&run.dir),
        rows: text,
    })
}
