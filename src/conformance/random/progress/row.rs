//! `results/progress.csv`: what a property came to under one scheme.

use super::{BOUND, Samples, back_to_back};
use crate::conformance::random::{Fences, Random};
use crate::scheme::Scheme;

/// The columns.
pub const HEADER: [&str; 12] = [
    "scheme",
    "world",
    "property",
    "readers",
    "seed",
    "seeds",
    "worst steps",
    "median steps",
    "bound",
    "verdict",
    "expected",
    "finding",
];

/// What is measured; see the [module](super).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// A suspender under endless, fresh, overlapping holds.
    SuspenderUnderHolds,
    /// Readers that wait, when another suspend follows at once, under fair schedules.
    ReaderAfterResume,
    /// Directed: a hold that begins after the suspender asked.
    HoldAfterAsking,
    /// Directed: suspends back to back.
    BackToBack,
}

impl Property {
    /// Its name in a row.
    pub fn name(self) -> &'static str {
        match self {
            Self::SuspenderUnderHolds => "suspender_under_holds",
            Self::ReaderAfterResume => "reader_after_resume",
            Self::HoldAfterAsking => "hold_after_asking",
            Self::BackToBack => "back_to_back",
        }
    }
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The scheme.
    pub scheme: &'static str,
    /// What the machine says of its fences.
    pub fences: &'static str,
    /// What was measured.
    pub property: Property,
    /// Readers beside the suspender.
    pub readers: usize,
    /// The first seed.
    pub seed: u64,
    /// How many; of directed schedules, how many.
    pub seeds: u64,
    /// Steps, the most of any seed; `None` if one was given up or failed, or none were measured.
    pub worst: Option<u64>,
    /// Steps, the middle of all seeds.
    pub median: Option<u64>,
    /// Steps allowed.
    pub bound: Option<u64>,
    /// Whether the property was shown.
    pub passed: bool,
    /// Whether it must be; `None` where no scheme claims it.
    pub expected: Option<bool>,
    /// What was found.
    pub finding: String,
}

impl Row {
    /// Whether nothing else was expected.
    pub fn is_expected(&self) -> bool {
        self.expected.is_none_or(|expected| expected == self.passed)
    }

    /// The row of some samples, of which there should be one a seed.
    pub(super) fn of<F: Fences, S: Scheme<Random<F>>>(
        (property, readers): (Property, usize),
        (seed, seeds): (u64, u64),
        (samples, panic): Samples,
    ) -> Self {
        let whole = panic.is_none() && samples.len() as u64 == seeds;
        let mut steps: Vec<u64> = samples.iter().map(|s| s.steps).collect();
        steps.sort_unstable();
        let overtaken = samples.iter().map(|s| s.overtaken).max().unwrap_or(0);
        // What ended only because the schedule did says nothing.
        let timed = match property {
            Property::HoldAfterAsking => false,
            Property::BackToBack => overtaken < back_to_back::ROUNDS,
            Property::SuspenderUnderHolds | Property::ReaderAfterResume => true,
        };
        let worst = steps.last().copied().filter(|_| whole && timed);
        let median = steps.get(steps.len() / 2).copied().filter(|_| timed);
        let (passed, finding) = match panic {
            Some(failure) => (false, failure.to_string()),
            None if !whole => {
                let missing = seeds.saturating_sub(samples.len() as u64);
                (false, format!("{missing} of {seeds} seeds never ended"))
            }
            None => property.judge(worst, overtaken),
        };
        Self {
            scheme: S::NAME,
            fences: F::WORLD,
            property,
            readers,
            seed,
            seeds,
            worst,
            median,
            bound: property.bound(),
            passed,
            expected: match property {
                Property::SuspenderUnderHolds | Property::ReaderAfterResume => Some(true),
                Property::HoldAfterAsking => Some(S::CLAIMS.bounded_wait),
                Property::BackToBack => None,
            },
            finding,
        }
    }
}

impl Property {
    fn bound(self) -> Option<u64> {
        let timed = matches!(self, Self::SuspenderUnderHolds | Self::ReaderAfterResume);
        timed.then_some(BOUND)
    }

    /// Whether samples that are all there show the property, and what else they say.
    fn judge(self, worst: Option<u64>, overtaken: u64) -> (bool, String) {
        let within = worst.is_some_and(|worst| worst <= BOUND);
        match self {
            Self::SuspenderUnderHolds => (within, String::new()),
            Self::ReaderAfterResume if overtaken == 0 => (within, "never overtaken".to_owned()),
            Self::ReaderAfterResume => (
                within,
                format!(
                    "overtaken by up to {overtaken} suspends; likely, not bounded: see back_to_back"
                ),
            ),
            Self::HoldAfterAsking if overtaken == 0 => (true, "it waits".to_owned()),
            Self::HoldAfterAsking => (false, "it gets in before the suspender".to_owned()),
            Self::BackToBack if overtaken >= back_to_back::ROUNDS => (
                false,
                format!("no bound: overtaken by all {overtaken} suspends of a fair schedule"),
            ),
            Self::BackToBack => (true, format!("overtaken by up to {overtaken} suspends")),
        }
    }
}

/// The row as it stands in the file.
pub fn row(row: &Row) -> Vec<String> {
    let number = |n: Option<u64>| n.map_or(String::new(), |n| n.to_string());
    let verdict = |pass: bool| if pass { "pass" } else { "fail" }.to_owned();
    vec![
        row.scheme.to_owned(),
        row.fences.to_owned(),
        row.property.name().to_owned(),
        row.readers.to_string(),
        row.seed.to_string(),
        row.seeds.to_string(),
        number(row.worst),
        number(row.median),
        number(row.bound),
        verdict(row.passed),
        row.expected.map_or("unclaimed".to_owned(), verdict),
        row.finding.clone(),
    ]
}
