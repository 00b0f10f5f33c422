//! From raw samples to rows: the only place where a figure of a table is computed.
//!
//! Each batch is compared with the baseline's batches just before and after it, so that whatever
//! the machine was doing cancels: `ratio = ns / mean(raw_before_ns, raw_after_ns)`. A row is the
//! median over rounds with a [95 % interval](median) that assumes nothing of the distribution but
//! that rounds are independent.
//!
//! Invariant: a registered scheme and a [peer](crate::lab::peers) have a row wherever any scheme has
//! one, with figures or with the reason why there are none.

pub mod median;
pub mod missing;
pub mod noise;
mod registry;
mod row;
mod suspend;
#[cfg(test)]
pub(crate) mod tests;

pub use registry::{Registered, registered};
pub(crate) use registry::{gives, place};
pub use row::{Figures, Row, Verdict};
pub use suspend::{Condition, Latency, SuspendRow};

use crate::lab::sample::{Sample, Workload};
use crate::lab::store::{ResultsError, Run};
use crate::scheme::Describe;
use crate::scheme::unprotected::Unprotected;
use median::Median;
use std::collections::BTreeMap;

/// The contender that is the baseline itself: its rows show the noise.
pub const BASELINE: &str = <Unprotected as Describe>::NAME;

/// A row's place: workload, threads, then registry order.
type Key = (Workload, u32, (usize, String));

/// The rows of a run, by workload, then threads, then registry order.
///
/// # Errors
/// If a registered scheme has neither samples nor a reason for having none.
pub fn rows(run: &Run) -> Result<Vec<Row>, ResultsError> {
    let registered = registered();
    missing::check(run, &registered)?;
    Ok(unchecked(run, &registered))
}

/// Which tables of a run are not to be trusted, and why; empty: no reason was found.
pub fn distrust(run: &Run) -> Vec<noise::Complaint> {
    let rows = unchecked(run, &registered());
    noise::complaints(&rows, &suspends(run), run.provenance.stolen)
}

fn unchecked(run: &Run, registered: &[Registered]) -> Vec<Row> {
    let crowded =
        |workload: Workload, threads: u32| threads + workload.besides() > run.provenance.cores;
    let mut groups: BTreeMap<Key, Vec<&Sample>> = BTreeMap::new();
    for sample in &run.samples {
        let place = place(registered, &sample.scheme);
        let key = (sample.workload, sample.threads, place);
        groups.entry(key).or_default().push(sample);
    }
    let noises: BTreeMap<(Workload, u32), Median> = groups
        .iter()
        .filter(|((_, _, (_, scheme)), _)| scheme == BASELINE)
        .filter_map(|((workload, threads, _), batches)| {
            Some(((*workload, *threads), difference(batches)?))
        })
        .collect();

    let mut rows: BTreeMap<Key, Row> = BTreeMap::new();
    for (key, batches) in groups {
        let (workload, threads, (_, scheme)) = key.clone();
        let row = Row {
            gives: gives(registered, &scheme),
            scheme,
            workload,
            threads,
            crowded: crowded(workload, threads),
            figures: figures(&batches, noises.get(&(workload, threads))),
            err: None,
        };
        rows.insert(key, row);
    }
    for failure in &run.failures {
        let named = |workload: &&Workload| workload.name() == failure.workload;
        let Some(&workload) = Workload::ALL.iter().find(named) else {
            continue;
        };
        let place = place(registered, &failure.scheme);
        let row = rows
            .entry((workload, failure.threads, place))
            .or_insert_with(|| Row {
                gives: gives(registered, &failure.scheme),
                scheme: failure.scheme.clone(),
                workload,
                threads: failure.threads,
                crowded: crowded(workload, failure.threads),
                figures: None,
                err: None,
            });
        row.err = Some(failure.err.clone());
    }
    rows.into_values().collect()
}

/// The suspends of a run, by condition, then registry order.
pub fn suspends(run: &Run) -> Vec<SuspendRow> {
    suspend::rows(&run.suspends, &registered(), run.provenance.cores)
}

/// The baseline that a batch is compared with.
fn raw(sample: &Sample) -> f64 {
    f64::midpoint(sample.raw_before_ns, sample.raw_after_ns)
}

fn difference(batches: &[&Sample]) -> Option<Median> {
    Median::of(batches.iter().map(|sample| sample.ns - raw(sample)))
}

fn figures(batches: &[&Sample], noise: Option<&Median>) -> Option<Figures> {
    let ns = Median::of(batches.iter().map(|sample| sample.ns))?.median;
    let diff = difference(batches)?;
    let holds = Median::of(batches.iter().filter_map(|sample| sample.holds_per_op));
    Some(Figures {
        rounds: batches.len(),
        ns,
        ratio: Median::of(batches.iter().map(|sample| sample.ns / raw(sample)))?,
        share: diff.median / ns,
        spoilt: batches.iter().filter(|b| b.lost > noise::LOST).count() as f64
            / batches.len() as f64,
        holds_per_op: holds.map(|holds| holds.median),
        verdict: Verdict::of(&diff, noise),
        diff,
    })
}
