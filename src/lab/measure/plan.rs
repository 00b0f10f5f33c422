//! What a whole run consists of, and how long it takes.
//!
//! A run is the product of workloads and thread counts, each a [`Pairing`], then the [`Suspends`].
//! Who runs is asked of a [`Source`], so that other operations join by another source.

use super::clocked;
use super::contender::{Field, Selection};
use super::latency;
use super::observe::{Halt, Observer};
use super::paired::{self, Pairing};
use super::shuffle::Shuffle;
use super::suspend::{self, Suspends};
use crate::lab::sample::Workload;
use std::time::Duration;

/// Makes the contenders of a workload, for so many threads at once. An empty field is skipped.
pub type Source<'s> = dyn Fn(Workload, usize, &Selection) -> Field + 's;

/// A run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which operations.
    pub workloads: Vec<Workload>,
    /// With how many threads, one pairing each.
    pub threads: Vec<usize>,
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
    /// The run that results are published from: about two minutes, with a dozen schemes.
    pub fn full(seed: u64) -> Self {
        Self {
            workloads: Workload::ALL.to_vec(),
            threads: vec![1, 2],
            schemes: Selection::all(),
            rounds: 201,
            // Shorter than a turn of the scheduler, so that neighbours spoil few of them.
            batch: Duration::from_micros(1_000),
            raw: Duration::from_micros(500),
            suspends: latency::full(),
            seed,
        }
    }

    /// A look: a few seconds. Its figures are rough.
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
            let field = source(pairing.workload, pairing.threads, &self.schemes);
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
            let field = source(pairing.workload, pairing.threads, &self.schemes);
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

    /// A batch of a replay is a pass through the whole trace, as long as several batches of the
    /// others.
    fn rounds_of(&self, workload: Workload) -> u32 {
        match workload {
            Workload::Replay => self.rounds.div_ceil(3),
            _ => self.rounds,
        }
    }

    fn pairings(&self) -> impl Iterator<Item = Pairing> {
        self.workloads.iter().flat_map(move |&workload| {
            self.threads.iter().map(move |&threads| Pairing {
                workload,
                threads,
                rounds: self.rounds_of(workload),
                batch: self.batch,
                raw: self.raw,
            })
        })
    }
}
