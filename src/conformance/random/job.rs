//! A scheme on one kind of machine, to be checked: a value, so that jobs can be listed and shared out.

use super::check::{Checked, NoSchedule, Plan, check, replay};
use super::progress;
use super::{Asymmetric, Fences, Random, Symmetric, World};
use crate::conformance::verdict::Failure;
use crate::scheme::{Registry, Scheme, Visit};

/// [`replay`] of one scheme on one machine.
type Replay = fn(World, &str) -> Result<Option<Failure>, NoSchedule>;

/// All that is done with one scheme on one machine.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// The scheme.
    pub scheme: &'static str,
    /// What the machine says of its fences.
    pub fences: &'static str,
    /// [`check`].
    pub check: fn(&Plan) -> Checked,
    /// [`replay`].
    pub replay: Replay,
    /// [`progress::rows`]: from one seed on, so many.
    pub progress: fn(u64, u64) -> Vec<progress::Row>,
}

impl Job {
    /// The job of any scheme, one of ours or not.
    pub fn of<F: Fences, S: Scheme<Random<F>>>() -> Self {
        Self {
            scheme: S::NAME,
            fences: F::WORLD,
            check: check::<F, S>,
            replay: replay::<F, S>,
            progress: progress::rows::<F, S>,
        }
    }
}

/// Collects the job of each scheme it visits.
#[derive(Clone, Debug, Default)]
pub struct Jobs(pub Vec<Job>);

impl<F: Fences> Visit<Random<F>> for Jobs {
    fn visit<S: Scheme<Random<F>>>(&mut self) {
        self.0.push(Job::of::<F, S>());
    }
}

impl Jobs {
    /// Every scheme of a registry, on a machine with membarrier and on one without.
    pub fn of<R: Registry>() -> Self {
        let mut jobs = Self::default();
        R::each::<Random<Asymmetric>>(&mut jobs);
        R::each::<Random<Symmetric>>(&mut jobs);
        jobs
    }
}
