//! `orderings.csv`: what became of each weakening, the same bytes whenever the code is the same.

use crate::conformance::child::Report;
use crate::conformance::exhaustive::site::Weakening;
use serde::{Deserialize, Serialize};

/// What became of a weakening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A model noticed; this is what it said.
    Killed(String),
    /// None did, and the comment beside the code says why.
    Explained(String),
    /// None did, and nobody says why.
    Survived,
    /// The exploration gave up.
    Unknown(String),
}

impl From<Option<String>> for Verdict {
    fn from(explanation: Option<String>) -> Self {
        explanation.map_or(Self::Survived, Self::Explained)
    }
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The scheme that was run.
    pub scheme: String,
    /// The file of the site.
    pub file: String,
    /// Its line.
    pub line: u32,
    /// Its column.
    pub column: u32,
    /// What it does.
    pub operation: String,
    /// How it is ordered.
    pub ordering: String,
    /// How it was ordered instead; a fence `Relaxed` is none.
    pub weaker: String,
    /// `killed`, `explained`, `survived` or `unknown`.
    pub verdict: String,
    /// The model that killed it, on a scheme or on its worse machine.
    pub model: String,
    /// That model's readers.
    pub readers: String,
    /// The bound on preemptions that was enough; empty: none.
    pub bound: String,
    /// That model's executions, up to the failure.
    pub executions: String,
    /// The failure, or the explanation.
    pub finding: String,
}

impl Row {
    pub(super) fn new(
        scheme: &str,
        weakening: &Weakening,
        report: &Report,
        verdict: Verdict,
    ) -> Self {
        let (from, site) = (&weakening.from, &weakening.from.site);
        let (word, finding) = match verdict {
            Verdict::Killed(finding) => ("killed", finding),
            Verdict::Explained(why) => ("explained", why),
            Verdict::Survived => ("survived", String::new()),
            Verdict::Unknown(finding) => ("unknown", finding),
        };
        let mut row = Self {
            scheme: scheme.to_owned(),
            file: site.file.clone(),
            line: site.line,
            column: site.column,
            operation: site.access.to_string(),
            ordering: from.order.to_string(),
            weaker: weakening.to.to_string(),
            verdict: word.to_owned(),
            model: String::new(),
            readers: String::new(),
            bound: String::new(),
            executions: String::new(),
            finding,
        };
        if row.is_killed() {
            let (model, readers) = report.case.rsplit_once('/').unwrap_or_default();
            row.model = model.to_owned();
            row.readers = readers.to_owned();
            row.bound = report.bound.clone();
            row.executions = report.outcome.executions.to_string();
        }
        row
    }

    /// Whether a model noticed.
    pub fn is_killed(&self) -> bool {
        self.verdict == "killed"
    }

    /// Whether this is as it must be.
    pub fn is_settled(&self) -> bool {
        matches!(self.verdict.as_str(), "killed" | "explained")
    }

    /// Whether both say the same. A build with other checks (of overflow, say) may be killed in another
    /// execution of the same case, and by another failure.
    pub fn agrees(&self, other: &Self) -> bool {
        let mut other = other.clone();
        if self.is_killed() && other.is_killed() {
            other.executions.clone_from(&self.executions);
            other.finding.clone_from(&self.finding);
        }
        *self == other
    }

    /// The key of the case that killed it.
    pub fn case(&self) -> String {
        format!("{}/{}", self.model, self.readers)
    }

    /// Which weakening of which scheme it is.
    pub fn key(&self) -> String {
        let Self {
            scheme,
            file,
            line,
            column,
            operation,
            ordering,
            weaker,
            ..
        } = self;
        format!("{scheme}/{file}:{line}:{column}:{operation}:{ordering}-{weaker}")
    }
}
