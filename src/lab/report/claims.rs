//! What each scheme promises, and what was found for and against it.
//!
//! Invariant: "checked" stands only where a check of the promise ran and found nothing, and says how
//! far; a promise that nothing ran for is "declared". What is not promised has what shows why, where
//! something does. Verdicts decide, and nothing written here by hand.

mod findings;
pub(super) mod table;
#[cfg(test)]
mod tests;

use super::verdicts::Verdicts;
use crate::lab::summary::Registered;
use crate::lab::table::Grid;
use findings::Findings;
use std::fmt;
use table::{CLAIMS, Check, Claim};

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
    /// A control that nothing has caught: the checks are blind, or did not run.
    Uncaught,
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
            Standing::Uncaught => f.write_str("no, BUT NOTHING CAUGHT IT"),
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
                (true, _) => Standing::Uncaught,
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
