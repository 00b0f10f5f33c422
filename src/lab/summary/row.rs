//! A row of a table: one contender, one workload, one number of threads.

use super::median::Median;
use crate::lab::peers::{Gives, labelled, named};
use crate::lab::sample::Workload;
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::fmt;

/// Whether a scheme's operation can be told from the unprotected one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The interval of the difference is above zero and reaches beyond the noise.
    Slower,
    /// The interval of the difference contains zero, or is within the noise: the difference that
    /// `unprotected` shows against itself.
    Indistinguishable,
    /// The interval of the difference is below zero and reaches beyond the noise.
    Faster,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Slower => "slower",
            Verdict::Indistinguishable => "indistinguishable",
            Verdict::Faster => "faster",
        })
    }
}

impl Verdict {
    /// Judges a difference by its interval and the noise's.
    pub(super) fn of(diff: &Median, noise: Option<&Median>) -> Self {
        let width = noise.map_or(0.0, |noise| noise.low.abs().max(noise.high.abs()));
        let zero_within = diff.low <= 0.0 && diff.high >= 0.0;
        let within_noise = diff.low >= -width && diff.high <= width;
        if zero_within || within_noise {
            Verdict::Indistinguishable
        } else if diff.low > 0.0 {
            Verdict::Slower
        } else {
            Verdict::Faster
        }
    }
}

/// What was measured of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Batches it is made of.
    pub rounds: usize,
    /// Nanoseconds an operation, by thread: median over rounds.
    pub ns: f64,
    /// Of each round, ns / mean of the baseline before and after.
    pub ratio: Median,
    /// Of each round, ns - mean of the baseline before and after.
    pub diff: Median,
    /// The share of an operation that is the scheme's: diff / ns, of the medians.
    pub share: f64,
    /// Holds an operation: median over the rounds that counted them.
    pub holds_per_op: Option<f64>,
    /// The share of its batches of which other processes took too much.
    pub spoilt: f64,
    /// Whether it can be told from the unprotected operation.
    pub verdict: Verdict,
}

/// A row: figures, or the reason why there are none. Serializes as one flat object, with `null`
/// for what there is not.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The contender.
    pub scheme: String,
    /// What it gives; `None` where nobody knows the contender.
    pub gives: Option<Gives>,
    /// The operation.
    pub workload: Workload,
    /// Threads that ran it at once.
    pub threads: u32,
    /// Whether there were more threads than CPUs: a description of the scheduler, too, and no rank.
    pub crowded: bool,
    /// What was measured.
    pub figures: Option<Figures>,
    /// Why nothing was.
    pub err: Option<String>,
}

impl Row {
    /// Its name, and what it gives unless that is a hold.
    pub(crate) fn label(&self) -> String {
        labelled(&self.scheme, self.gives)
    }

    /// Whether it is of a peer that has no figures here; the note that says why is enough.
    pub(crate) fn is_idle_peer(&self) -> bool {
        self.figures.is_none() && named(&self.scheme).is_some()
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let f = self.figures.as_ref();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("workload", &self.workload)?;
        map.serialize_entry("scheme", &self.scheme)?;
        map.serialize_entry("gives", &self.gives)?;
        map.serialize_entry("threads", &self.threads)?;
        map.serialize_entry("crowded", &self.crowded)?;
        map.serialize_entry("ratio", &f.map(|f| f.ratio.median))?;
        map.serialize_entry("ratio_low", &f.map(|f| f.ratio.low))?;
        map.serialize_entry("ratio_high", &f.map(|f| f.ratio.high))?;
        map.serialize_entry("ratio_min", &f.map(|f| f.ratio.min))?;
        map.serialize_entry("ratio_max", &f.map(|f| f.ratio.max))?;
        map.serialize_entry("ns", &f.map(|f| f.ns))?;
        map.serialize_entry("diff_ns", &f.map(|f| f.diff.median))?;
        map.serialize_entry("diff_low", &f.map(|f| f.diff.low))?;
        map.serialize_entry("diff_high", &f.map(|f| f.diff.high))?;
        map.serialize_entry("share", &f.map(|f| f.share))?;
        map.serialize_entry("holds_per_op", &f.and_then(|f| f.holds_per_op))?;
        map.serialize_entry("rounds", &f.map(|f| f.rounds))?;
        map.serialize_entry("spoilt", &f.map(|f| f.spoilt))?;
        map.serialize_entry("verdict", &f.map(|f| f.verdict.to_string()))?;
        map.serialize_entry("err", &self.err)?;
        map.end()
    }
}
