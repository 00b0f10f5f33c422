//! What a whole run consists of, and how long it takes.
//!
//! A run is the product of workloads and thread counts, each a [`Pairing`], then the [`Suspends`].
//! Who runs is asked of a [`Source`], so that other operations join by another source.

use super::clocked;
use super::contender::Selection;
use super::field::Field;
use super::latency;
use super::observe::{Halt, Observer};
use super::paired::{self, Pairing};
use super::shuffle::Shuffle;
use super::suspend::{self, Suspends};
use crate::lab::sample::Workload;
use std::time::Duration;

/// Makes the contenders of a workload, for so many threads at once. An empty field is skipped.
pub type Source<'s> = dyn Fn(Workload, usize, &Selection) -> Field + 's;

/// How often the world is suspended where that is what is varied.
pub const EVERY: Duration = Duration::from_millis(10);

/// A run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which operations.
    pub workloads: Vec<Workload>,
    /// With how many threads, one pairing each; `None`: as each workload needs.
    pub threads: Option<Vec<usize>>,
    /// Which schemes, besides the baseline.
    pub schemes: Selection,
    /// Samples of each contender in each pairing.
    pub rounds: u32,
    /// Time of a contender's batch.
    pub batch: Duration,
    /// Time of a baseline batch.
    pub raw: Duration,
    /// The suspends, if any, by number of readers.
    pub suspends: Vec<Suspends>,
    /// What orders, tables and jitter are drawn from.
    pub seed: u64,
}

impl Plan {
    /// The run that results are published from: six to eight minutes, with two dozen schemes.
    pub fn full(seed: u64) -> Self {
        Self {
            workloads: Workload::ALL.to_vec(),
            threads: None,
            schemes: Selection::all(),
            rounds: 201,
            // Shorter than a turn of the scheduler, so that neighbours spoil few of them.
            batch: Duration::from_micros(1_000),
            raw: Duration::from_micros(500),
            suspends: latency::full(),
            seed,
        }
    }

    /// A look: less than a minute. Its figures are rough.
    pub fn quick(seed: u64) -> Self {
        let full = Self::full(seed);
        Self {
            rounds: 9,
            batch: Duration::from_micros(800),
            raw: Duration::from_micros(400),
            suspends: latency::quick(),
            ..full
        }
    }

    /// How long it takes, without set-up; the sum of what [`Observer::progress`] is told.
    pub fn expected(&self, source: &Source<'_>) -> Duration {
        let pairings = self.pairings().map(|pairing| {
            let field = source(pairing.workload, pairing.team(), &self.schemes);
            pairing.expected(field.runners.len())
        });
        let suspends = self.suspends.iter().map(|suspends| {
            let field = self.suspenders(source, suspends);
            suspends.expected(field.runners.len())
        });
        pairings.chain(suspends).sum()
    }

    /// Runs it.
    ///
    /// # Errors
    /// [`Halt`] when the observer says stop, or a thread is gone.
    pub fn run(&self, source: &Source<'_>, observer: &mut dyn Observer) -> Result<(), Halt> {
        let mut shuffle = Shuffle::new(self.seed);
        for pairing in self.pairings() {
            let field = source(pairing.workload, pairing.team(), &self.schemes);
            paired::run(&field, &pairing, &mut shuffle, observer)?;
        }
        for suspends in &self.suspends {
            let field = self.suspenders(source, suspends);
            suspend::run(&field, suspends, &mut shuffle, observer)?;
        }
        Ok(())
    }

    /// Who suspends, with a clock at the heavy fence where that is possible.
    fn suspenders(&self, source: &Source<'_>, suspends: &Suspends) -> Field {
        let threads = suspends.readers + 1;
        let mut field = source(Workload::Hold, threads, &self.schemes);
        clocked::clock(&mut field, threads);
        field
    }

    /// With how many threads a workload runs: as asked for, or one and two of the main ones, eight of the
    /// base case, and one where something else is varied.
    fn threads_of(&self, workload: Workload) -> &[usize] {
        match &self.threads {
            Some(threads) => threads,
            None if workload == Workload::Hold => &[1, 2, 8],
            None if workload.is_side() => &[1],
            None => &[1, 2],
        }
    }

    fn pairing(&self, workload: Workload, threads: usize) -> Pairing {
        let parts = match workload {
            // A batch of a replay is a pass through the whole trace, as long as several of the others.
            Workload::Replay => 3,
            Workload::ReplayGccMake | Workload::ReplayCargoBuild => 6,
            Workload::HoldSuspended => 8,
            _ if workload.is_side() => 2,
            _ => 1,
        };
        let suspended = workload == Workload::HoldSuspended;
        Pairing {
            workload,
            threads,
            rounds: self.rounds.div_ceil(parts),
            // Long enough for two suspends.
            batch: if suspended { 2 * EVERY } else { self.batch },
            // And a baseline batch that meets what a long one meets.
            raw: if suspended { EVERY / 2 } else { self.raw },
            least: Duration::from_micros(match workload {
                Workload::Replay => 1_500,
                Workload::ReplayGccMake => 5_000,
                Workload::ReplayCargoBuild => 7_000,
                _ => 0,
            }),
            every: suspended.then_some(EVERY),
        }
    }

    fn pairings(&self) -> impl Iterator<Item = Pairing> {
        self.workloads.iter().flat_map(move |&workload| {
            let threads = self.threads_of(workload).iter();
            threads.map(move |&threads| self.pairing(workload, threads))
        })
    }
}
