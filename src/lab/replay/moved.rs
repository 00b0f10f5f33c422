//! What a replay with migrations gave, row by row.

use super::end::Differences;
use super::replayed::Replayed;
use crate::xen::stream::Round;
use serde::Serialize;

/// What a replay with migrations under one scheme gave.
#[derive(Clone, Debug, Serialize)]
pub struct Moved {
    /// The replay: its suspends are the migrations, and its passes those that came to their end, so the
    /// last one is not among them.
    #[serde(flatten)]
    pub replay: Replayed,
    /// Each migration.
    pub migrations: Vec<Migration>,
    /// How the guest at the end differs from that of an undisturbed run.
    pub differences: Differences,
}

impl Moved {
    /// Whether nothing was ever wrong, and the guest is what it should be.
    pub fn sound(&self) -> bool {
        self.replay.sound() && self.differences.count() == 0
    }
}

/// One migration. The times describe this run; they rank nobody.
#[derive(Clone, Debug, Serialize)]
pub struct Migration {
    /// Its rounds; the guest was suspended in the last one.
    pub rounds: Vec<RoundRow>,
    /// Length of the stream, in octets.
    pub octets: u64,
    /// Page tables that the last round dropped.
    pub lost_tables: u64,
    /// Of the downtime, in microseconds: until nobody held.
    pub exclusivity_us: f64,
    /// Then: until the last round was written.
    pub last_round_us: f64,
    /// Then: until the guest was restored. On real Xen most of that is done before the downtime.
    pub restore_us: f64,
    /// Then: until readers went on.
    pub resume_us: f64,
}

impl Migration {
    /// From the suspend's being asked for to readers' going on, in microseconds, without the restore.
    pub fn stopped_us(&self) -> f64 {
        self.exclusivity_us + self.last_round_us + self.resume_us
    }
}

/// A round of a migration.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct RoundRow {
    /// Pages that were dirty.
    pub dirty: u64,
    /// Of these, sent with contents.
    pub sent: u64,
    /// Of these, page tables that did not resolve.
    pub unresolved: u64,
    /// Of these, PFNs without a frame.
    pub empty: u64,
}

impl From<Round> for RoundRow {
    fn from(round: Round) -> Self {
        Self {
            dirty: round.dirty,
            sent: round.sent,
            unresolved: round.unresolved,
            empty: round.empty,
        }
    }
}
