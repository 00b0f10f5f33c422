//! What a lock and its readers take in memory: a line of `footprint.csv`.
//!
//! Counted, not computed: a program whose allocator counts makes the lock, and registers readers, each a
//! thread of its own that holds once (`tests/footprint.rs`).

use serde::{Deserialize, Serialize};

/// The file of the results folder.
pub const FILE: &str = "footprint.csv";

/// What makes the file.
pub const CURE: &str = "make it with `cargo test --test footprint -- --ignored record`";

/// Readers of the rows.
pub const READERS: [usize; 3] = [1, 64, 1_024];

/// One scheme with room for, and with, so many readers, each on a CPU of its own. In bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Footprint {
    /// The scheme.
    pub scheme: String,
    /// How many readers, and how many CPUs: a scheme that counts by CPU has a line for each.
    pub readers: usize,
    /// The lock itself, where it stands.
    pub lock: usize,
    /// What it allocates when it is made.
    pub made: i64,
    /// A reader's handle, where it stands.
    pub reader: usize,
    /// What all has been allocated once every reader is registered and has held.
    pub held: i64,
}

impl Footprint {
    /// The columns of the file, in its order.
    pub const COLUMNS: [&'static str; 6] = ["scheme", "readers", "lock", "made", "reader", "held"];

    /// The lock and all its readers.
    pub fn total(&self) -> i64 {
        (self.lock + self.readers * self.reader) as i64 + self.held
    }
}
