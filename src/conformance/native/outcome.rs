//! What a stress found, and what that shows.

use std::fmt;
use std::ops::AddAssign;
use std::time::Duration;

/// One suspend in so many must have waited, and as many holds, or they did not meet often enough
/// for anything to be shown.
const MET: u64 = 1000;

/// Counts of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Outermost holds.
    pub holds: u64,
    /// Holds within a hold.
    pub nested: u64,
    /// Snapshots.
    pub snapshots: u64,
    /// Times that a reader dropped its registration and got another.
    pub registered: u64,
    /// Suspends.
    pub suspends: u64,
    /// Suspends during whose call a hold ended.
    pub waited_suspends: u64,
    /// Holds during whose call a suspend came to its end.
    pub waited_holds: u64,
    /// Holds and snapshots that saw two values.
    pub torn: u64,
    /// Holds and snapshots that saw an older value than they must.
    pub stale: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// What a run shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing torn, nothing stale, and there was occasion for it.
    Pass,
    /// Something was torn or stale.
    Fail,
    /// Nothing was, but suspends and holds hardly met: nothing is shown.
    Unproved,
}

impl Outcome {
    /// Suspends and holds that waited for each other.
    pub fn waited(&self) -> u64 {
        self.waited_suspends + self.waited_holds
    }

    /// What the run shows.
    pub fn verdict(&self) -> Verdict {
        let met = |waited: u64| waited > 0 && waited >= self.suspends / MET;
        if self.torn + self.stale > 0 {
            Verdict::Fail
        } else if met(self.waited_suspends) && met(self.waited_holds) {
            Verdict::Pass
        } else {
            Verdict::Unproved
        }
    }
}

impl AddAssign for Outcome {
    fn add_assign(&mut self, other: Self) {
        self.holds += other.holds;
        self.nested += other.nested;
        self.snapshots += other.snapshots;
        self.registered += other.registered;
        self.suspends += other.suspends;
        self.waited_suspends += other.waited_suspends;
        self.waited_holds += other.waited_holds;
        self.torn += other.torn;
        self.stale += other.stale;
        self.elapsed += other.elapsed;
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unproved => "unproved",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_in_which_nobody_waited_is_no_pass() {
        let mut outcome = Outcome {
            suspends: 10_000,
            waited_suspends: 10,
            ..Outcome::default()
        };
        assert_eq!(outcome.verdict(), Verdict::Unproved);
        outcome.waited_holds = 10;
        assert_eq!(outcome.verdict(), Verdict::Pass);
        outcome.stale = 1;
        assert_eq!(outcome.verdict(), Verdict::Fail);
    }
}
