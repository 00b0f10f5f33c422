//! Checks one scheme over so many schedules of the whole world, and replays one of them.

use super::encode;
use super::replayer::Replayer;
use super::run::{self, Ran};
use super::world::{self, Found};
use super::{Fences, Random, World};
use crate::conformance::verdict::{Expected, Failure, Kind, Outcome};
use crate::scheme::Scheme;
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// Which of shuttle's schedulers chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picks {
    /// Any runnable thread, at every point.
    Random,
    /// The runnable thread of highest priority; so many times in a schedule, at random points,
    /// priorities change (probabilistic concurrency testing).
    Pct {
        /// Changes + 1: the depth of the bugs that are found with a known probability.
        depth: usize,
    },
}

impl fmt::Display for Picks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Picks::Random => f.write_str("random"),
            Picks::Pct { depth } => write!(f, "pct{depth}"),
        }
    }
}

/// How a scheme is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The world.
    pub world: World,
    /// Who chooses.
    pub picks: Picks,
    /// Everything random follows from it. (shuttle prefers `SHUTTLE_RANDOM_SEED`, if that is set.)
    pub seed: u64,
    /// Schedules at most: the run ends with the first that finds something.
    pub schedules: usize,
}

/// What a check came to: one row of `results/schedules.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The scheme.
    pub scheme: &'static str,
    /// What the machine says of its fences.
    pub fences: &'static str,
    /// How it was checked.
    pub plan: Plan,
    /// What must come of it: a control must be caught with a stale use, others must pass.
    pub expected: Expected,
    /// Schedules run, the failing one included, and what it found.
    pub outcome: Outcome,
    /// Choices of a thread, over all schedules.
    pub steps: u64,
    /// MFNs used in another incarnation than the one they were translated in.
    pub stale_uses: u64,
    /// The failing schedule as [`replay`] takes it; its world must be the same.
    pub schedule: Option<String>,
}

impl Checked {
    /// Whether the outcome is the one expected.
    pub fn is_expected(&self) -> bool {
        self.expected.is_met_by(&self.outcome)
    }
}

/// A control must be caught within so many schedules, however many the plan allows.
pub const CAUGHT_WITHIN: usize = 100;

/// What a scheme must show.
fn expected<F: Fences, S: Scheme<Random<F>>>() -> Expected {
    match S::CLAIMS.holds {
        true => Expected::Pass,
        false => Expected::Fail(Kind::Assertion, "stale uses"),
    }
}

/// Whether a schedule ends the run: for a control only a stale use counts, else anything wrong.
fn ends<F: Fences, S: Scheme<Random<F>>>(found: &Found) -> bool {
    match S::CLAIMS.holds {
        true => !found.clean(),
        false => found.verdicts.stale_uses > 0,
    }
}

/// Runs the whole world under scheme `S` in `plan.schedules` schedules, or until one finds something.
///
/// The same plan gives the same result, to the last schedule. Costs about a millisecond a schedule.
/// A panic or a deadlock of a schedule is its finding; shuttle prints it on stderr all the same.
pub fn check<F: Fences, S: Scheme<Random<F>>>(plan: &Plan) -> Checked {
    let Plan { picks, seed, .. } = *plan;
    let schedules = match S::CLAIMS.holds {
        true => plan.schedules,
        false => plan.schedules.min(CAUGHT_WITHIN),
    };
    let (ran, found) = match picks {
        Picks::Random => {
            explore::<F, S>(RandomScheduler::new_from_seed(seed, schedules), plan.world)
        }
        Picks::Pct { depth } => explore::<F, S>(
            PctScheduler::new_from_seed(seed, depth.max(1), schedules),
            plan.world,
        ),
    };
    let failure = failure(&ran, found);
    Checked {
        scheme: S::NAME,
        fences: F::WORLD,
        plan: *plan,
        expected: expected::<F, S>(),
        steps: ran.steps,
        stale_uses: found.map_or(0, |f| f.verdicts.stale_uses),
        schedule: failure.is_some().then_some(ran.last),
        outcome: Outcome {
            executions: ran.schedules as usize,
            failure,
        },
    }
}

/// A text that is no schedule, or one of another world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSchedule;

impl fmt::Display for NoSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is no schedule of this world: the text, the scheme, the fences and every number of the world must be those of the run that printed it")
    }
}

impl std::error::Error for NoSchedule {}

/// Runs one schedule again; returns what it finds, which is what it found.
///
/// # Errors
/// [`NoSchedule`].
pub fn replay<F: Fences, S: Scheme<Random<F>>>(
    world: World,
    schedule: &str,
) -> Result<Option<Failure>, NoSchedule> {
    let (seed, choices) = encode::parse(schedule).ok_or(NoSchedule)?;
    let (replayer, strayed) = Replayer::new(seed, choices);
    let (ran, found) = explore::<F, S>(replayer, world);
    match strayed.get() {
        true => Err(NoSchedule),
        false => Ok(failure(&ran, found)),
    }
}

pub(super) fn explore<F: Fences, S: Scheme<Random<F>>>(
    scheduler: impl shuttle::scheduler::Scheduler + 'static,
    world: World,
) -> (Ran, Option<Found>) {
    let over = Arc::new(AtomicBool::new(false));
    let kept = Arc::new(Mutex::new(None));
    let (end, keep) = (Arc::clone(&over), Arc::clone(&kept));
    let ran = run::run(scheduler, &over, move || {
        let found = world::body::<F, S>(&world);
        if ends::<F, S>(&found) {
            *keep.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
            end.store(true, Relaxed);
        }
    });
    let found = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
    (ran, found)
}

pub(super) fn failure(ran: &Ran, found: Option<Found>) -> Option<Failure> {
    let counted = found.map(|found| Failure {
        kind: Kind::Assertion,
        message: found.to_string(),
    });
    counted.or_else(|| ran.panic.clone())
}
