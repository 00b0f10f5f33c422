//! `results/snapshots.csv`: what a snapshot writes, counted.

use super::Row;
use serde::Deserialize;

/// One snapshot of one scheme.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Snapshot {
    pub(crate) scheme: String,
    /// Whether a suspend came between, so that the section ran again.
    pub(crate) overtaken: Answer,
    pub(crate) stores: u64,
    pub(crate) rmws: u64,
    pub(crate) verdict: String,
    pub(crate) expected: String,
}

/// As the file writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Answer {
    /// It is so.
    Yes,
    /// It is not.
    No,
}

impl Row for Snapshot {
    const FILE: &'static str = "snapshots.csv";
    const COLUMNS: &'static [&'static str] = &[
        "scheme",
        "overtaken",
        "stores",
        "rmws",
        "verdict",
        "expected",
    ];
    const CURE: &'static str =
        "make it with `cargo run -p loom-tests --release -- record snapshots`";
}

impl Snapshot {
    /// Operations on shared words that write, or may.
    pub(crate) fn writes(&self) -> u64 {
        self.stores + self.rmws
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn row(scheme: &str, stores: u64, rmws: u64) -> Snapshot {
        Snapshot {
            scheme: scheme.to_owned(),
            overtaken: Answer::No,
            stores,
            rmws,
            verdict: String::new(),
            expected: String::new(),
        }
    }
}
