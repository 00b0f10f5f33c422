//! What is run, and not explored: random schedules, progress, counted snapshots, stress, litmus tests.
//!
//! One check is one test of the kit's program, with [`Effort::QUICK`], and some rows of one results file,
//! with as much effort as `record` is told.

use clap::Args;
use clap::builder::RangedU64ValueParser as Range;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

/// How much is run. The defaults are those of the recorded results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Args)]
pub struct Effort {
    /// Schedules of each scheme, machine and scheduler.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = Range::<u64>::new().range(1..))]
    pub schedules: u64,
    /// Seeds of each property of progress.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = Range::<u64>::new().range(1..))]
    pub seeds: u64,
    /// Holds of each stress; of one that must fail, 10,000,000 at most.
    #[arg(long, value_name = "N", default_value_t = 10_000_000, value_parser = Range::<u64>::new().range(1..))]
    pub holds: u64,
    /// Reader threads of each stress.
    #[arg(long, value_name = "R", default_value_t = 2, value_parser = Range::<u64>::new().range(2..=64))]
    pub readers: u64,
    /// Everything random follows from it.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// A stress that shows nothing is run again, with another seed, so many times in all.
    #[arg(skip = 1u64)]
    pub tries: u64,
    /// A stress that takes longer is given up.
    #[arg(skip)]
    pub patience: Option<Duration>,
}

impl Effort {
    /// Of a test: less than a second for most, where the CPUs are idle.
    pub const QUICK: Self = Self {
        schedules: 200,
        // As many as the results have: then the rows must be the same.
        seeds: 200,
        holds: 500_000,
        readers: 2,
        seed: 1,
        tries: 20,
        patience: Some(Duration::from_secs(120)),
    };
}

/// Which results file a row stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    Schedules,
    Progress,
    Snapshots,
    Stress,
    Litmus,
}

impl Table {
    pub(super) fn file(self) -> &'static str {
        match self {
            Self::Schedules => "schedules.csv",
            Self::Progress => "progress.csv",
            Self::Snapshots => "snapshots.csv",
            Self::Stress => "stress.csv",
            Self::Litmus => "litmus-native.csv",
        }
    }

    pub(super) fn header(self) -> &'static [&'static str] {
        match self {
            Self::Schedules => &super::random::table::HEADER,
            Self::Progress => &super::random::progress::HEADER,
            Self::Snapshots => &super::counting::HEADER,
            Self::Stress => &super::native::checks::STRESS,
            Self::Litmus => &super::native::checks::LITMUS,
        }
    }

    /// Whether it is about the machine itself, and wants all of it.
    pub(super) fn is_native(self) -> bool {
        matches!(self, Self::Stress | Self::Litmus)
    }

    /// What must stand in the file as it is found with [`Effort::QUICK`]: what tells a row from the others
    /// of its file, or, where the effort is the recorded one, all of it.
    pub(super) fn key<'r>(self, row: &[&'r str]) -> Vec<&'r str> {
        let columns: &[usize] = match self {
            Self::Schedules => &[0, 1, 3],
            Self::Progress => &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
            Self::Snapshots => &[0, 1, 2, 3, 4, 5],
            Self::Stress => &[0],
            Self::Litmus => &[0, 1],
        };
        let at = |&column: &usize| row.get(column).copied().unwrap_or("");
        columns.iter().map(at).collect()
    }
}

/// A row.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) fields: Vec<String>,
    /// Whether it is as it must be.
    pub(super) expected: bool,
    /// The words for this program that show it again.
    pub(super) again: Option<String>,
}

/// Rows, or why there are none, in one line.
type Run = dyn Fn(&Effort) -> Result<Vec<Line>, String> + Send + Sync;

/// Something to run.
pub(super) struct Check {
    pub(super) table: Table,
    /// The test's name.
    pub(super) name: String,
    /// Whether it shows nothing where there is one CPU.
    pub(super) needs_two_cpus: bool,
    pub(super) run: Box<Run>,
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

/// The machine: what is explored or scheduled shares it, what is about the machine itself has it alone.
static MACHINE: RwLock<()> = RwLock::new(());

/// Shares the machine.
pub(super) fn share() -> RwLockReadGuard<'static, ()> {
    MACHINE.read().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until nothing else of this program runs, and keeps it so.
pub(super) fn alone() -> RwLockWriteGuard<'static, ()> {
    MACHINE.write().unwrap_or_else(PoisonError::into_inner)
}
