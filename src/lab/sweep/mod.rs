//! What it costs to empty every alternate slot before a save: `sweep.csv`.
//!
//! Real page tables in the simulated machine are visited in every way that was thought of, by number of
//! pmaps and of slots that are set. The **work** is counted where it is done (hypercalls, updates,
//! flushes...), and is the same on every run; its **price** is that work at stated [`Charges`], since a
//! simulated hypercall costs nothing like a real one. The time that the simulator itself took stands
//! beside it, and is no more than that.
//!
//! Xen is that of before 2017, where all ways are possible ([`Era::Before2017`](crate::xen::Era)).

mod charges;
mod row;
mod world;

pub use charges::{Charges, UnknownAct};
pub use row::{FILE, Row, to_csv};

use crate::pmap::Way;
use std::fmt;
use world::World;

/// How a save finds every slot empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// By a sweep.
    Sweep(Way),
    /// Because each visit empties its own: nothing is left to do.
    Eager,
}

impl Manner {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Manner> {
        Way::ALL
            .into_iter()
            .map(Manner::Sweep)
            .chain([Manner::Eager])
    }

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Manner::Sweep(way) => way.name(),
            Manner::Eager => "eager",
        }
    }
}

/// How many slots are set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Dirty {
    /// So many; at most half of the pmaps.
    Count(u64),
    /// So many per cent.
    Percent(f64),
}

impl Dirty {
    /// Of `pmaps`.
    pub fn of(self, pmaps: u64) -> u64 {
        match self {
            Dirty::Count(count) => count.min(pmaps / 2),
            Dirty::Percent(percent) => (pmaps as f64 * percent / 100.0).round() as u64,
        }
    }
}

impl fmt::Display for Dirty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dirty::Count(count) => write!(f, "{count}"),
            Dirty::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl std::str::FromStr for Dirty {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is neither a number nor a percentage up to 50%");
        match text.strip_suffix('%') {
            None => text.parse().map(Dirty::Count).map_err(|_| wrong()),
            Some(number) => match number.parse() {
                Ok(percent) if (0.0..=50.0).contains(&percent) => Ok(Dirty::Percent(percent)),
                _ => Err(wrong()),
            },
        }
    }
}

/// What is swept.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The most pmaps with all their tables; sizes are powers of ten from 10 on.
    pub whole: u64,
    /// The most pmaps of which there is the root only, beyond those.
    pub roots: u64,
    /// How many slots are set.
    pub dirty: Vec<Dirty>,
    /// vCPUs of the guest: how many a shoot-down reaches, and how many roots of their own they have.
    pub vcpus: usize,
    /// Bytes that a machine may take.
    pub memory: u64,
    /// What each act costs.
    pub charges: Charges,
}

impl Plan {
    /// The sizes, and whether all tables are there.
    pub fn sizes(&self) -> impl Iterator<Item = (u64, bool)> {
        let most = self.whole.max(self.roots);
        let sizes = (1..).map(|power| 10u64.saturating_pow(power));
        let whole = self.whole;
        sizes
            .take_while(move |pmaps| *pmaps <= most)
            .map(move |pmaps| (pmaps, pmaps <= whole))
    }
}

/// Sweeps all sizes; `row` gets every row, and says whether to go on.
pub fn run(plan: &Plan, mut row: impl FnMut(Row) -> bool) {
    for (pmaps, whole) in plan.sizes() {
        let blank = Row::blank(pmaps, whole, plan.vcpus);
        let mut world = match World::build(pmaps, whole, plan) {
            Ok(world) => world,
            Err(why) => {
                if !row(Row {
                    err: Some(why),
                    ..blank
                }) {
                    return;
                }
                continue;
            }
        };
        for dirty in &plan.dirty {
            for manner in Manner::all() {
                if !row(world.sweep(manner, *dirty, plan, blank.clone())) {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
