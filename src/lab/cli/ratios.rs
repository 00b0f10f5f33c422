//! Medians of a run, for the terminal.

use super::Error;
use super::output::{Format, Out};
use crate::lab::measure::observe::Row;
use crate::lab::sample::{Failure, Sample, SuspendSample, Workload};
use serde::Serialize;
use std::collections::BTreeMap;

/// A contender's samples of one workload and thread count.
#[derive(Debug, Serialize)]
struct Ratio {
    row: &'static str,
    workload: Workload,
    threads: u32,
    scheme: String,
    n: usize,
    /// Median over rounds of time over the mean of the two baseline batches beside it.
    ratio: f64,
    quartile_low: f64,
    quartile_high: f64,
    ns: f64,
    holds_per_op: Option<f64>,
}

/// A contender's suspends at one dwell; microseconds.
#[derive(Debug, Serialize)]
struct Latency {
    row: &'static str,
    scheme: String,
    readers: u32,
    dwell_us: u32,
    n: usize,
    exclusivity_median_us: f64,
    exclusivity_p90_us: f64,
    service_median_us: f64,
    release_median_us: f64,
    stall_median_us: f64,
}

fn quantile(mut values: Vec<f64>, part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (values.len().saturating_sub(1) as f64 * part).round() as usize;
    values.get(at).copied().unwrap_or(f64::NAN)
}

fn ratio(samples: &[&Sample]) -> Option<Ratio> {
    let first = samples.first()?;
    let of = |value: fn(&Sample) -> f64| samples.iter().map(|sample| value(sample)).collect();
    let ratios: fn(&Sample) -> f64 = |s| s.ns * 2.0 / (s.raw_before_ns + s.raw_after_ns);
    Some(Ratio {
        row: "ratio",
        workload: first.workload,
        threads: first.threads,
        scheme: first.scheme.clone(),
        n: samples.len(),
        ratio: quantile(of(ratios), 0.5),
        quartile_low: quantile(of(ratios), 0.25),
        quartile_high: quantile(of(ratios), 0.75),
        ns: quantile(of(|s| s.ns), 0.5),
        holds_per_op: first.holds_per_op,
    })
}

fn latency(samples: &[&SuspendSample]) -> Option<Latency> {
    let first = samples.first()?;
    let at = |part: f64, value: fn(&SuspendSample) -> u64| {
        let micros = samples.iter().map(|sample| value(sample) as f64 / 1e3);
        quantile(micros.collect(), part)
    };
    Some(Latency {
        row: "suspend",
        scheme: first.scheme.clone(),
        readers: first.readers,
        dwell_us: first.dwell_us,
        n: samples.len(),
        exclusivity_median_us: at(0.5, |s| s.exclusivity_ns),
        exclusivity_p90_us: at(0.9, |s| s.exclusivity_ns),
        service_median_us: at(0.5, |s| s.service_ns),
        release_median_us: at(0.5, |s| s.release_ns),
        stall_median_us: at(0.5, |s| s.stall_ns),
    })
}

/// Prints a run.
pub(super) fn print(rows: &[Row], format: Format, out: &mut Out) -> Result<(), Error> {
    let mut samples: BTreeMap<(Workload, u32, &str), Vec<&Sample>> = BTreeMap::new();
    let mut suspends: BTreeMap<(u32, &str), Vec<&SuspendSample>> = BTreeMap::new();
    let mut failures: Vec<&Failure> = Vec::new();
    for row in rows {
        match row {
            Row::Sample(s) => samples
                .entry((s.workload, s.threads, &s.scheme))
                .or_default()
                .push(s),
            Row::Suspend(s) => suspends.entry((s.dwell_us, &s.scheme)).or_default().push(s),
            Row::Failure(failure) => failures.push(failure),
        }
    }
    let ratios: Vec<Ratio> = samples.values().filter_map(|group| ratio(group)).collect();
    let latencies: Vec<Latency> = suspends
        .values()
        .filter_map(|group| latency(group))
        .collect();
    match format {
        Format::Json => json(&ratios, &latencies, rows, out),
        Format::Table => table(&ratios, &latencies, &failures, out),
    }
}

fn json(ratios: &[Ratio], latencies: &[Latency], rows: &[Row], out: &mut Out) -> Result<(), Error> {
    ratios.iter().try_for_each(|row| out.json(row))?;
    latencies.iter().try_for_each(|row| out.json(row))?;
    let failures = rows.iter().filter(|row| matches!(row, Row::Failure(_)));
    failures.into_iter().try_for_each(|row| out.json(row))
}

fn table(
    ratios: &[Ratio],
    latencies: &[Latency],
    failures: &[&Failure],
    out: &mut Out,
) -> Result<(), Error> {
    let heading = |cells: &[&str]| cells.iter().map(|&cell| cell.to_owned()).collect();
    let mut lines: Vec<Vec<String>> = vec![heading(&[
        "workload",
        "scheme",
        "threads",
        "x raw",
        "quartiles",
        "ns",
        "n",
    ])];
    lines.extend(ratios.iter().map(|row| {
        vec![
            row.workload.name().to_owned(),
            row.scheme.clone(),
            row.threads.to_string(),
            format!("{:.2}", row.ratio),
            format!("{:.2}-{:.2}", row.quartile_low, row.quartile_high),
            format!("{:.2}", row.ns),
            row.n.to_string(),
        ]
    }));
    if ratios.is_empty() {
        lines.clear();
    }
    out.columns(&lines, 2)?;
    if !latencies.is_empty() {
        let mut lines: Vec<Vec<String>> = vec![heading(&[
            "suspend",
            "dwell us",
            "exclusive us",
            "p90",
            "service",
            "release",
            "stall",
            "n",
        ])];
        lines.extend(latencies.iter().map(|row| {
            vec![
                row.scheme.clone(),
                row.dwell_us.to_string(),
                format!("{:.1}", row.exclusivity_median_us),
                format!("{:.1}", row.exclusivity_p90_us),
                format!("{:.1}", row.service_median_us),
                format!("{:.1}", row.release_median_us),
                format!("{:.1}", row.stall_median_us),
                row.n.to_string(),
            ]
        }));
        out.columns(&lines, 1)?;
    }
    for failure in failures {
        out.line(&format!(
            "no sample: {} {} x{}: {}",
            failure.workload, failure.scheme, failure.threads, failure.err
        ))?;
    }
    Ok(())
}
