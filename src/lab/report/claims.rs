//! What each scheme promises, and what the models say of it.
//!
//! Invariant: "checked" stands only where a model of the promise ran and found nothing; a promise
//! that no model ran for is called "declared".

use super::models::{Answer, Case};
use crate::lab::summary::Registered;
use crate::lab::table::Grid;
use crate::scheme::Claims;
use std::fmt;

/// A claim, its column, and the models that check it. The first must have run for the claim to
/// count as checked. A model that bears the claim's own name checks it too.
struct Claim {
    key: &'static str,
    column: &'static str,
    get: fn(&Claims) -> bool,
    models: &'static [&'static str],
}

const CLAIMS: [Claim; 6] = [
    Claim {
        key: HOLDS,
        column: "holds",
        get: |claims| claims.holds,
        models: &[
            "exclusion",
            "freshness",
            "twice",
            "rivals",
            "cancelled",
            "departs",
            "translates",
            "snapshot",
        ],
    },
    Claim {
        key: "nests",
        column: "nests",
        get: |claims| claims.nests,
        models: &["nested"],
    },
    Claim {
        key: "bounded_wait",
        column: "bounded wait",
        get: |claims| claims.bounded_wait,
        models: &[],
    },
    Claim {
        key: "sleeps_in_hold",
        column: "sleeps in hold",
        get: |claims| claims.sleeps_in_hold,
        models: &[],
    },
    Claim {
        key: "snapshot_free_of_writes",
        column: "snapshot free of writes",
        get: |claims| claims.snapshot_free_of_writes,
        models: &[],
    },
    Claim {
        key: "needs_quiescence",
        column: "needs quiescence",
        get: |claims| claims.needs_quiescence,
        models: &[],
    },
];

/// The claim that all others rest on.
const HOLDS: &str = "holds";

/// How a claim stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Models explored every execution.
    Checked,
    /// Models explored every execution with at most so many preemptions a thread.
    Bounded(u32),
    /// No model of it ran.
    Declared,
    /// Not promised.
    No,
    /// Not promised, and a model shows why.
    Counterexample,
    /// A model found something that it must not.
    Contradicted,
    /// A control excludes nobody, so nothing else that it says matters.
    Moot,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Standing::Checked => f.write_str("checked"),
            Standing::Bounded(bound) => write!(f, "checked, bound {bound}"),
            Standing::Declared => f.write_str("declared, not checked"),
            Standing::No => f.write_str("no"),
            Standing::Counterexample => f.write_str("no, counterexample"),
            Standing::Contradicted => f.write_str("CONTRADICTED"),
            Standing::Moot => f.write_str("-"),
        }
    }
}

impl Claim {
    fn standing(&self, scheme: &Registered, cases: &[Case]) -> Standing {
        let of: Vec<&Case> = cases
            .iter()
            .filter(|case| case.scheme == scheme.name)
            .filter(|case| case.model == self.key || self.models.contains(&case.model.as_str()))
            .collect();
        if !scheme.claims.holds && self.key != HOLDS {
            return Standing::Moot;
        }
        let claimed = (self.get)(&scheme.claims);
        let failed = of.iter().any(|case| !case.passed());
        if of.iter().any(|case| case.surprises()) || claimed && failed {
            return Standing::Contradicted;
        }
        if !claimed {
            return if failed {
                Standing::Counterexample
            } else {
                Standing::No
            };
        }
        let main = self.models.first().copied().unwrap_or(self.key);
        if !of
            .iter()
            .any(|case| case.model == main || case.model == self.key)
        {
            return Standing::Declared;
        }
        let bounded = of.iter().filter(|case| case.complete == Answer::No);
        match bounded.filter_map(|case| case.bound).min() {
            Some(bound) => Standing::Bounded(bound),
            None => Standing::Checked,
        }
    }
}

/// How the claim to hold stands: nothing else matters without it.
pub(crate) fn holds(scheme: &Registered, cases: &[Case]) -> Standing {
    let [holds, ..] = &CLAIMS;
    holds.standing(scheme, cases)
}

/// One line a scheme, one column a claim.
pub(crate) fn grid(registered: &[Registered], cases: &[Case]) -> Grid {
    let mut columns = vec!["scheme"];
    columns.extend(CLAIMS.iter().map(|claim| claim.column));
    columns.push("precedent");
    let mut grid = Grid::new("", &columns);
    grid.words = (1..columns.len()).collect();
    for scheme in registered {
        let mut cells = vec![scheme.name.to_owned()];
        cells.extend(
            CLAIMS
                .iter()
                .map(|claim| claim.standing(scheme, cases).to_string()),
        );
        cells.push(scheme.precedent.to_owned());
        grid.rows.push(cells);
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::super::models::tests::case;
    use super::*;
    use crate::lab::summary::registered;

    fn named(name: &str) -> Registered {
        registered()
            .into_iter()
            .find(|scheme| scheme.name == name)
            .unwrap()
    }

    fn nests(name: &str, cases: &[Case]) -> Standing {
        let [_, nests, ..] = &CLAIMS;
        nests.standing(&named(name), cases)
    }

    #[test]
    fn a_claim_stands_as_its_models_say() {
        let pass = ["pass", "pass"];
        let percpu = |bound, verdicts| [case("percpu", "nested", bound, verdicts)];
        assert_eq!(nests("percpu", &[]), Standing::Declared);
        assert_eq!(nests("percpu", &percpu(None, pass)), Standing::Checked);
        assert_eq!(
            nests("percpu", &percpu(Some(3), pass)),
            Standing::Bounded(3)
        );
        for contradiction in [["fail", "pass"], ["fail", "fail"], ["truncated", "pass"]] {
            assert_eq!(
                nests("percpu", &percpu(None, contradiction)),
                Standing::Contradicted
            );
        }
    }

    #[test]
    fn what_is_not_claimed_has_its_counterexample_or_is_just_no() {
        assert_eq!(nests("rwlock", &[]), Standing::No);
        let fails = case("rwlock", "nested", None, ["fail", "fail"]);
        assert_eq!(nests("rwlock", &[fails]), Standing::Counterexample);
        let passes = case("rwlock", "nested", None, ["pass", "fail"]);
        assert_eq!(nests("rwlock", &[passes]), Standing::Contradicted);
    }

    #[test]
    fn holding_needs_its_own_model() {
        let others = [case("percpu", "freshness", None, ["pass", "pass"])];
        assert_eq!(holds(&named("percpu"), &others), Standing::Declared);
        let twin = [case("percpu-no-fence", "exclusion", None, ["fail", "fail"])];
        assert_eq!(holds(&named("percpu"), &twin), Standing::Declared);
    }

    #[test]
    fn what_else_a_control_says_is_moot() {
        let fails = case("unprotected", "nested", None, ["fail", "fail"]);
        assert_eq!(nests("unprotected", &[fails]), Standing::Moot);
    }

    #[test]
    fn every_scheme_has_a_line() {
        let registered = registered();
        assert_eq!(grid(&registered, &[]).rows.len(), registered.len());
    }
}
