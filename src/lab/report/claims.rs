//! What each scheme promises, and what was found for and against it.
//!
//! Invariant: "checked" stands only where a check of the promise ran and found nothing, and says how
//! far; a promise that nothing ran for is "declared". What is not promised has what shows why, where
//! something does. Verdicts decide, and nothing written here by hand.

mod findings;
#[cfg(test)]
mod tests;

use super::verdicts::Verdicts;
use crate::lab::summary::Registered;
use crate::lab::table::Grid;
use crate::scheme::Claims;
use findings::Findings;
use std::fmt;

/// A claim, its column, and what it rests on.
struct Claim {
    column: &'static str,
    get: fn(&Claims) -> bool,
    rests_on: Check,
    /// Whether it means something for a scheme that excludes nobody.
    of_controls: bool,
}

/// What decides about a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    /// Models, each with its number of readers, if only one counts. The first must have run for the
    /// claim to count as checked.
    Models(&'static [(&'static str, Option<u32>)]),
    /// The same, and whatever else runs the scheme: random schedules, and the stress.
    Everything(&'static [(&'static str, Option<u32>)]),
    /// Directed schedules, and a suspender under endless holds.
    Progress,
    /// The writes of a snapshot.
    Counting,
    /// Nothing yet.
    Nothing,
}

const CLAIMS: [Claim; 8] = [
    Claim {
        column: "holds",
        get: |claims| claims.holds,
        rests_on: Check::Everything(&[
            ("exclusion", None),
            ("arrives", None),
            ("freshness", None),
            ("twice", None),
            ("rivals", None),
            ("cancelled", None),
            ("departs", None),
            ("joins", None),
            ("translates", None),
            ("snapshot", None),
        ]),
        of_controls: true,
    },
    Claim {
        column: "nests",
        get: |claims| claims.nests,
        rests_on: Check::Models(&[("nested", None), ("crossed", None), ("deep", None)]),
        of_controls: false,
    },
    Claim {
        column: "bounded wait",
        get: |claims| claims.bounded_wait,
        rests_on: Check::Progress,
        of_controls: false,
    },
    Claim {
        column: "sleeps in hold",
        get: |claims| claims.sleeps_in_hold,
        rests_on: Check::Models(&[("sleeps", None)]),
        of_controls: false,
    },
    Claim {
        column: "snapshot free of writes",
        get: |claims| claims.snapshot_free_of_writes,
        rests_on: Check::Counting,
        of_controls: false,
    },
    Claim {
        column: "needs quiescence",
        get: |claims| claims.needs_quiescence,
        rests_on: Check::Nothing,
        of_controls: false,
    },
    Claim {
        column: "suspends alone",
        get: |claims| claims.suspends_alone,
        rests_on: Check::Models(&[("rivals", Some(0))]),
        of_controls: true,
    },
    Claim {
        column: "drop ends leaks",
        get: |claims| claims.drop_ends_leaks,
        rests_on: Check::Models(&[("leaks", None)]),
        of_controls: false,
    },
];

/// How a claim stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Something that checks it ran, so far, and found nothing.
    Checked(String),
    /// Nothing that could check it ran; what else is known.
    Declared(String),
    /// Not promised.
    No,
    /// Not promised, and this shows why.
    Counterexample(String),
    /// A control, and what caught it.
    Caught(String),
    /// This found what must not be.
    Contradicted(String),
    /// A control excludes nobody, so nothing else that it says matters.
    Moot,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Standing::Checked(how_far) => write!(f, "checked: {how_far}"),
            Standing::Declared(else_known) if else_known.is_empty() => {
                f.write_str("declared, not checked")
            }
            Standing::Declared(else_known) => write!(f, "declared, not checked; {else_known}"),
            Standing::No => f.write_str("no"),
            Standing::Counterexample(by) => write!(f, "no, counterexample: {by}"),
            Standing::Caught(by) => write!(f, "no, caught by {by}"),
            Standing::Contradicted(by) => write!(f, "CONTRADICTED by {by}"),
            Standing::Moot => f.write_str("-"),
        }
    }
}

impl Claim {
    fn standing(&self, scheme: &Registered, verdicts: &Verdicts) -> Standing {
        let control = !scheme.claims.holds;
        if control && !self.of_controls {
            return Standing::Moot;
        }
        let claimed = (self.get)(&scheme.claims);
        let found = Findings::of(self.rests_on, scheme.name, verdicts);
        if control && self.is_to_hold() {
            // That one check of several sees nothing is no contradiction, but it is said.
            return match (found.against.is_empty(), found.surprises.is_empty()) {
                (true, _) => Standing::No,
                (false, true) => Standing::Caught(found.against.join(", ")),
                (false, false) => Standing::Caught(format!(
                    "{}, but not as expected by {}",
                    found.against.join(", "),
                    found.surprises.join(", ")
                )),
            };
        }
        let mut wrong = found.surprises;
        if claimed {
            wrong.extend(found.against.iter().cloned());
        }
        wrong.sort_unstable();
        wrong.dedup();
        if !wrong.is_empty() {
            return Standing::Contradicted(wrong.join(", "));
        }
        match (claimed, found.against.is_empty(), found.how_far) {
            (true, _, Some(how_far)) => Standing::Checked(how_far),
            (true, _, None) => Standing::Declared(found.else_known),
            (false, true, _) => Standing::No,
            (false, false, _) => Standing::Counterexample(found.against.join(", ")),
        }
    }

    fn is_to_hold(&self) -> bool {
        matches!(self.rests_on, Check::Everything(_))
    }
}

/// Whether something contradicts the claim to hold: nothing else matters then.
pub(crate) fn holds_no_more(scheme: &Registered, verdicts: &Verdicts) -> bool {
    let [holds, ..] = &CLAIMS;
    matches!(holds.standing(scheme, verdicts), Standing::Contradicted(_))
}

/// One line a scheme, one column a claim; below, what was found on the worse machines.
pub(crate) fn grid(registered: &[Registered], verdicts: &Verdicts) -> Grid {
    let mut columns = vec!["scheme"];
    columns.extend(CLAIMS.iter().map(|claim| claim.column));
    columns.push("precedent");
    let mut grid = Grid::new("", &columns);
    grid.words = (1..columns.len()).collect();
    for scheme in registered {
        let mut cells = vec![scheme.name.to_owned()];
        let standing = |claim: &Claim| claim.standing(scheme, verdicts).to_string();
        cells.extend(CLAIMS.iter().map(standing));
        cells.push(scheme.precedent.to_owned());
        grid.rows.push(cells);
    }
    grid.notes = findings::machines(registered, verdicts);
    grid
}
