//! Progress: who waits for whom, and for how many steps at most.
//!
//! A step is one choice of the scheduler, which counts them. The scheduler is fair (round robin, with
//! a random quantum), or scripted first and fair afterwards. A bound here is measured, over so many
//! seeds, and not proved; what the directed schedules show to be unbounded is.
//!
//! | property | what must be shown |
//! |---|---|
//! | `suspender_under_holds` | a suspender gets exclusivity, though fresh, overlapping holds never end |
//! | `reader_after_resume` | readers that waited get on, though another suspend follows at once |
//! | `hold_after_asking` | a hold that begins after the suspender, who has no rival, asked waits ([`Claims::bounded_wait`]) |
//! | `back_to_back` | how many suspends may overtake a waiting reader; no scheme claims a bound |
//!
//! [`Claims::bounded_wait`]: crate::scheme::Claims::bounded_wait

mod back_to_back;
mod clock;
mod fair;
mod fresh_hold;
mod overlap;
mod resume;
mod row;
mod script;
#[cfg(test)]
mod tests;

use super::run;
use super::{Fences, Random, grain};
use crate::conformance::verdict::Failure;
use crate::scheme::{Scheme, Size, Tables};
use clock::Clock;
use fair::Fair;
pub use row::{HEADER, Property, Row, row};
use script::{Mark, Script, Turn};
use shuttle::scheduler::Scheduler;
use std::sync::{Arc, Mutex, PoisonError};

/// Steps within which a suspender must have exclusivity, and a reader its hold: several times what
/// any scheme of ours takes. An execution is given up after five times as many.
pub const BOUND: u64 = 20_000;

/// Steps after which an execution is given up.
const GIVEN_UP: u64 = 5 * BOUND;

/// Readers of the fair worlds.
const READERS: [usize; 2] = [2, 3];

/// Locks of a sharded scheme: enough for each thread to have its own.
const TABLES: Tables = Tables {
    shards: 4,
    ..Tables::SMALL
};

fn size(readers: usize) -> Size {
    Size {
        readers,
        tables: TABLES,
    }
}

/// What one execution measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sample {
    steps: u64,
    /// Suspends, or holds, that came first.
    overtaken: u64,
}

/// Where executions leave their samples; one that was given up leaves none.
#[derive(Clone, Debug, Default)]
struct Steps(Arc<Mutex<Vec<Sample>>>);

impl Steps {
    fn push(&self, sample: Sample) {
        let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        samples.push(sample);
    }

    fn take(&self) -> Vec<Sample> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// All samples of a measurement, and what an execution panicked with.
type Samples = (Vec<Sample>, Option<Failure>);

/// The samples of as many executions as the scheduler has, and what one of them panicked with.
fn measure(
    scheduler: impl Scheduler + 'static,
    body: impl Fn(&Steps) + Send + Sync + 'static,
) -> Samples {
    let steps = Steps::default();
    let inside = steps.clone();
    let ran = run::run(scheduler, &Arc::default(), move || {
        grain::make_fine(true);
        body(&inside);
    });
    (steps.take(), ran.panic)
}

/// Measures every property of scheme `S`, with `seeds` seeds from `seed` on where schedules are
/// random. Costs about a millisecond a seed. A scheme that holds nobody up has no rows.
pub fn rows<F: Fences, S: Scheme<Random<F>>>(seed: u64, seeds: u64) -> Vec<Row> {
    if !S::CLAIMS.holds {
        return Vec::new();
    }
    let mut rows = Vec::new();
    for readers in READERS {
        let (clock, fair) = fair(seed, seeds);
        let samples = measure(fair, move |steps| {
            overlap::body::<F, S>(readers, &clock, steps);
        });
        let of = (Property::SuspenderUnderHolds, readers);
        rows.push(Row::of::<F, S>(of, (seed, seeds), samples));
    }
    for readers in READERS {
        let (clock, fair) = fair(seed, seeds);
        let samples = measure(fair, move |steps| {
            resume::body::<F, S>(readers, &clock, steps);
        });
        let of = (Property::ReaderAfterResume, readers);
        rows.push(Row::of::<F, S>(of, (seed, seeds), samples));
    }
    let (mark, _, script) = scripted(fresh_hold::turns());
    let samples = measure(script, move |steps| {
        fresh_hold::body::<F, S>(&mark, steps);
    });
    let of = (Property::HoldAfterAsking, 2);
    rows.push(Row::of::<F, S>(of, (seed, 1), samples));
    let mut samples = (Vec::new(), None);
    for turn in back_to_back::TURNS {
        let (mark, clock, script) = scripted(back_to_back::turns(turn));
        let (more, panic) = measure(script, move |steps| {
            back_to_back::body::<F, S>(&clock, &mark, steps);
        });
        samples.0.extend(more);
        samples.1 = samples.1.or(panic);
    }
    let of = (Property::BackToBack, 1);
    let scripts = back_to_back::TURNS.len() as u64;
    rows.push(Row::of::<F, S>(of, (seed, scripts), samples));
    rows
}

fn fair(seed: u64, seeds: u64) -> (Clock, Fair) {
    let clock = Clock::default();
    (clock.clone(), Fair::new(clock, GIVEN_UP, seed, seeds))
}

fn scripted(turns: Vec<Turn>) -> (Mark, Clock, Script) {
    let (mark, clock) = (Mark::default(), Clock::default());
    let script = Script::new(turns, mark.clone(), clock.clone(), GIVEN_UP);
    (mark, clock, script)
}
