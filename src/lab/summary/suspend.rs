//! Suspend latencies: percentiles, and none that the count does not carry.
//!
//! A percentile is given only where at least [`BEYOND`] samples lie beyond it; otherwise it would
//! be the accident of a few.

use super::noise;
use super::registry::{Registered, gives, place};
use crate::lab::peers::{Gives, labelled};
use crate::lab::sample::SuspendSample;
use hdrhistogram::Histogram;
use serde::Serialize;
use std::collections::BTreeMap;

/// Samples that must lie beyond a percentile.
const BEYOND: f64 = 10.0;

/// Significant digits of a percentile: they are within 0.1 %.
const DIGITS: u8 = 3;

/// The distribution of one of a suspend's times, nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Latency {
    /// The median.
    pub median: u64,
    /// Nine of ten are within it; `None` with fewer than 100 samples.
    pub p90: Option<u64>,
    /// 99 of 100 are within it; `None` with fewer than 1,000 samples.
    pub p99: Option<u64>,
    /// 999 of 1,000 are within it; `None` with fewer than 10,000 samples.
    pub p999: Option<u64>,
    /// The longest, exact.
    pub max: u64,
}

impl Latency {
    /// Of `times`, nanoseconds, in any order; `None` if there are none.
    pub fn of(times: impl IntoIterator<Item = u64>) -> Option<Self> {
        // A histogram that grows, with a valid number of digits, and whose longest time is below
        // 2^63: neither call can fail, and if one did there would be no row instead of a false one.
        let mut histogram = Histogram::<u64>::new(DIGITS).ok()?;
        let mut max = 0;
        for time in times {
            histogram.record(time.min(u64::MAX >> 1)).ok()?;
            max = max.max(time);
        }
        let n = histogram.len() as f64;
        if n == 0.0 {
            return None;
        }
        let carried = |quantile: f64| {
            let beyond = n * (1.0 - quantile) + 1e-6;
            (beyond >= BEYOND).then(|| histogram.value_at_quantile(quantile).min(max))
        };
        Some(Self {
            median: histogram.value_at_quantile(0.5).min(max),
            p90: carried(0.9),
            p99: carried(0.99),
            p999: carried(0.999),
            max,
        })
    }
}

/// What suspends are measured against; in the order of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Condition {
    /// Readers besides the suspender.
    pub readers: u32,
    /// How long each hold lasted, nanoseconds; 0: for one translation.
    pub hold_ns: u64,
    /// How much of a reader's time was in holds, per cent.
    pub held_percent: u32,
    /// How long the world stayed suspended, microseconds.
    pub dwell_us: u32,
}

impl Condition {
    /// Whether readers never paused.
    pub const fn is_hot(&self) -> bool {
        self.hold_ns == 0
    }
}

/// The suspends of one scheme under one condition.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SuspendRow {
    /// The scheme.
    pub scheme: String,
    /// What it gives; `None` where nobody knows it.
    pub gives: Option<Gives>,
    /// Readers besides the suspender.
    pub readers: u32,
    /// How long each hold lasted, nanoseconds; 0: for one translation.
    pub hold_ns: u64,
    /// How much of a reader's time was in holds, per cent.
    pub held_percent: u32,
    /// How long the world stayed suspended, microseconds.
    pub dwell_us: u32,
    /// Whether there were more threads than CPUs: a description of the scheduler, and no rank.
    pub crowded: bool,
    /// Suspends it is made of.
    pub n: usize,
    /// The share of them of whose block other processes took too much.
    pub spoilt: f64,
    /// From when it was due to exclusivity.
    pub exclusivity_ns: Latency,
    /// From the call to exclusivity.
    pub service_ns: Latency,
    /// The part of the service that was in heavy fences, where the scheme tells.
    pub barrier_ns: Option<Latency>,
    /// The rest of the service: closing the gate, and waiting for holds to end.
    pub drain_ns: Option<Latency>,
    /// From the guard's drop to the slowest reader's first operation.
    pub release_ns: Latency,
    /// The longest that any reader stood still.
    pub stall_ns: Latency,
}

impl SuspendRow {
    /// Its name, and what it gives unless that is a hold.
    pub(crate) fn label(&self) -> String {
        labelled(&self.scheme, self.gives)
    }

    /// What it was measured against.
    pub const fn condition(&self) -> Condition {
        Condition {
            readers: self.readers,
            hold_ns: self.hold_ns,
            held_percent: self.held_percent,
            dwell_us: self.dwell_us,
        }
    }
}

/// Rows by condition, then registry order.
pub(super) fn rows(
    samples: &[SuspendSample],
    registered: &[Registered],
    cores: u32,
) -> Vec<SuspendRow> {
    let mut groups: BTreeMap<_, Vec<&SuspendSample>> = BTreeMap::new();
    for sample in samples {
        let condition = Condition {
            readers: sample.readers,
            hold_ns: sample.hold_ns,
            held_percent: sample.held_percent,
            dwell_us: sample.dwell_us,
        };
        let key = (condition, place(registered, &sample.scheme));
        groups.entry(key).or_default().push(sample);
    }
    let row =
        |((condition, (_, scheme)), group): ((Condition, (usize, String)), Vec<&SuspendSample>)| {
            let Condition {
                readers,
                hold_ns,
                held_percent,
                dwell_us,
            } = condition;
            let latency =
                |time: fn(&SuspendSample) -> u64| Latency::of(group.iter().map(|s| time(s)));
            let told = |time: fn(u64, u64) -> u64| {
                let told = group.iter();
                Latency::of(told.filter_map(|s| Some(time(s.service_ns, s.barrier_ns?))))
            };
            Some(SuspendRow {
                gives: gives(registered, &scheme),
                scheme,
                readers,
                hold_ns,
                held_percent,
                dwell_us,
                crowded: readers + 1 > cores,
                n: group.len(),
                spoilt: group.iter().filter(|s| s.lost > noise::LOST).count() as f64
                    / group.len() as f64,
                exclusivity_ns: latency(|s| s.exclusivity_ns)?,
                service_ns: latency(|s| s.service_ns)?,
                barrier_ns: told(|_, barrier| barrier),
                drain_ns: told(u64::saturating_sub),
                release_ns: latency(|s| s.release_ns)?,
                stall_ns: latency(|s| s.stall_ns)?,
            })
        };
    groups.into_iter().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_needs_ten_samples_beyond_it() {
        assert_eq!(Latency::of([]), None);
        for (n, p90, p99) in [(99, false, false), (100, true, false), (1000, true, true)] {
            let latency = Latency::of(1..=n).unwrap();
            let carried = (latency.p90.is_some(), latency.p99.is_some());
            assert_eq!(carried, (p90, p99), "{n}");
        }
    }

    #[test]
    fn percentiles_are_within_a_thousandth_and_the_longest_is_exact() {
        let latency = Latency::of((1..=10_000).map(|n| n * 1000)).unwrap();
        let near = |found: u64, truth: u64| found.abs_diff(truth) <= truth / 1000;
        assert!(near(latency.median, 5_000_000), "{latency:?}");
        assert!(near(latency.p90.unwrap(), 9_000_000), "{latency:?}");
        assert!(near(latency.p99.unwrap(), 9_900_000), "{latency:?}");
        assert_eq!(latency.max, 10_000_000);
        let longest = Latency::of([u64::MAX]).unwrap();
        assert_eq!(longest.max, u64::MAX);
    }
}
