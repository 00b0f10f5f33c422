//! What is measured, as it is kept: one row a sample, never edited afterwards.
//!
//! The tables of the terminal and of `report.md` are computed from these rows alone, so whoever
//! doubts a figure can compute it again.

use serde::{Deserialize, Serialize};

/// What an operation of a row was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Workload {
    /// Hold, translate one PFN, let go; PFNs independent of each other, table in the L1 cache.
    Hold,
    /// The same within a hold that is already there.
    Nested,
    /// The same as `Hold`, each PFN taken from the last translation: latency instead of throughput.
    Dependent,
    /// A snapshot of one translation.
    Snapshot,
    /// `pmap_extract` of a mapped page: a walk of four levels and a look at the M2P.
    PmapExtract,
    /// `pmap_enter` over a mapped page: the walk, and an `mmu_update`.
    PmapEnter,
    /// One event of the replayed trace `shell`.
    Replay,
    /// `Hold` on a table of 8 MiB.
    #[serde(rename = "hold_8mib")]
    HoldFar,
    /// `Dependent` on a table of 8 MiB.
    #[serde(rename = "dependent_8mib")]
    DependentFar,
    /// `Hold`, with about 10 ns of work in the hold.
    #[serde(rename = "hold_10ns")]
    Hold10,
    /// `Hold`, with about 100 ns of work in the hold.
    #[serde(rename = "hold_100ns")]
    Hold100,
    /// `Hold`, with about 1,000 ns of work in the hold.
    #[serde(rename = "hold_1000ns")]
    Hold1000,
    /// `Hold` within three holds that are already there.
    #[serde(rename = "nested_4")]
    Nested4,
    /// `Hold`, while a suspender besides suspends every 10 ms.
    HoldSuspended,
    /// One event of the replayed trace `gcc-make`.
    ReplayGccMake,
    /// One event of the replayed trace `cargo-build`.
    ReplayCargoBuild,
}

impl Workload {
    /// All of them, in the order of the tables.
    pub const ALL: [Workload; 16] = [
        Workload::Hold,
        Workload::Nested,
        Workload::Dependent,
        Workload::Snapshot,
        Workload::PmapExtract,
        Workload::PmapEnter,
        Workload::Replay,
        Workload::HoldFar,
        Workload::DependentFar,
        Workload::Hold10,
        Workload::Hold100,
        Workload::Hold1000,
        Workload::Nested4,
        Workload::HoldSuspended,
        Workload::ReplayGccMake,
        Workload::ReplayCargoBuild,
    ];

    /// Those that a whole run of that format has.
    pub fn of_format(format: u32) -> &'static [Workload] {
        match format {
            1 => &Self::ALL[..7],
            _ => &Self::ALL,
        }
    }

    /// The key in CSV, JSON and plots.
    pub const fn name(self) -> &'static str {
        match self {
            Workload::Hold => "hold",
            Workload::Nested => "nested",
            Workload::Dependent => "dependent",
            Workload::Snapshot => "snapshot",
            Workload::PmapExtract => "pmap_extract",
            Workload::PmapEnter => "pmap_enter",
            Workload::Replay => "replay",
            Workload::HoldFar => "hold_8mib",
            Workload::DependentFar => "dependent_8mib",
            Workload::Hold10 => "hold_10ns",
            Workload::Hold100 => "hold_100ns",
            Workload::Hold1000 => "hold_1000ns",
            Workload::Nested4 => "nested_4",
            Workload::HoldSuspended => "hold_suspended",
            Workload::ReplayGccMake => "replay_gcc_make",
            Workload::ReplayCargoBuild => "replay_cargo_build",
        }
    }

    /// Whether it replays a trace.
    pub const fn is_replay(self) -> bool {
        matches!(
            self,
            Workload::Replay | Workload::ReplayGccMake | Workload::ReplayCargoBuild
        )
    }

    /// Whether it varies one thing of a main workload, and is shown beside it.
    pub const fn is_side(self) -> bool {
        matches!(
            self,
            Workload::HoldFar
                | Workload::DependentFar
                | Workload::Hold10
                | Workload::Hold100
                | Workload::Hold1000
                | Workload::Nested4
                | Workload::HoldSuspended
        )
    }

    /// Threads besides those that are counted: a suspender's.
    pub const fn besides(self) -> u32 {
        matches!(self, Workload::HoldSuspended) as u32
    }

    /// Whether schemes may be ranked by it. Where an operation does much besides holding, the
    /// difference to no scheme is shown instead.
    pub const fn ranks(self) -> bool {
        matches!(self, Workload::Hold | Workload::Nested)
    }
}

/// One batch of a contender between two batches of the unprotected baseline, which runs the same
/// operation. A line of `samples.csv`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// What one operation is.
    pub workload: Workload,
    /// The contender; `unprotected` against itself shows the noise.
    pub scheme: String,
    /// Threads that ran it at once, each on a CPU of its own where there are enough.
    pub threads: u32,
    /// Which round of interleaved batches.
    pub round: u32,
    /// Operations of the contender in this batch, all threads.
    pub ops: u64,
    /// Nanoseconds an operation, by thread: elapsed time x threads / ops.
    pub ns: f64,
    /// The baseline's, just before.
    pub raw_before_ns: f64,
    /// The baseline's, just after.
    pub raw_after_ns: f64,
    /// Holds the contender began an operation, counted, not assumed; empty where not counted.
    pub holds_per_op: Option<f64>,
    /// The share of the three batches' thread time that other processes took, repeats apart. Runs of
    /// format 1 lack it.
    #[serde(default)]
    pub lost: f64,
}

/// A contender that could not run a workload, and why. A line of `errors.csv`: a row that is missing
/// is missing for a reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// Which workload.
    pub workload: String,
    /// Which contender.
    pub scheme: String,
    /// How many threads.
    pub threads: u32,
    /// Why there is no sample.
    pub err: String,
}

/// One cancelled suspend against readers that hold and let go. A line of `suspends.csv`. Times in
/// nanoseconds. Runs of format 1 lack the last four columns, those of format 2 the last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuspendSample {
    /// The scheme.
    pub scheme: String,
    /// Readers besides the suspender.
    pub readers: u32,
    /// How long the suspender kept the world suspended, microseconds.
    pub dwell_us: u32,
    /// Which suspend of the run.
    pub sample: u32,
    /// From when the suspend was due (t0) to exclusivity (t2): what an operator waits.
    pub exclusivity_ns: u64,
    /// From the call (t1) to exclusivity (t2): the scheme's own part.
    pub service_ns: u64,
    /// From exclusivity (t2) to the guard's drop (t3): the dwell as it turned out. Never ranked.
    pub work_ns: u64,
    /// From the guard's drop (t3) to the first completed operation of the slowest reader (t4).
    pub release_ns: u64,
    /// The longest time any reader went without completing an operation, t1 to t4.
    pub stall_ns: u64,
    /// How long each hold of a reader lasted; 0: for one translation.
    #[serde(default)]
    pub hold_ns: u64,
    /// How much of a reader's time was in holds, per cent.
    #[serde(default = "all_of_it")]
    pub held_percent: u32,
    /// The part of the service that was in heavy fences; empty where the scheme cannot tell.
    #[serde(default)]
    pub barrier_ns: Option<u64>,
    /// The share of thread time that other processes took from the block of suspends that it was in, repeats
    /// apart.
    #[serde(default)]
    pub lost: f64,
}

/// What readers did before there was a choice.
const fn all_of_it() -> u32 {
    100
}

#[cfg(test)]
mod tests {
    use super::Workload;

    #[test]
    fn a_name_is_the_key_in_files() {
        for workload in Workload::ALL {
            let key = serde_json::to_value(workload).unwrap();
            assert_eq!(key, workload.name());
        }
    }
}
