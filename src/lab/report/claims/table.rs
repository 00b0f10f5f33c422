//! The claims: what each promises, and what decides about it.

use crate::lab::table::Grid;
use crate::scheme::Claims;

/// A claim, its column, and what it rests on.
pub(super) struct Claim {
    pub(super) column: &'static str,
    /// In words.
    promise: &'static str,
    pub(super) get: fn(&Claims) -> bool,
    pub(super) rests_on: Check,
    /// Whether it means something for a scheme that excludes nobody.
    pub(super) of_controls: bool,
}

/// What decides about a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// Models, each with its number of readers, if only one counts. The first must have run for the
    /// claim to count as checked.
    Models(&'static [(&'static str, Option<u32>)]),
    /// The same, and whatever else runs the scheme: random schedules, and the stress.
    Everything(&'static [(&'static str, Option<u32>)]),
    /// Directed schedules, and a suspender under endless holds.
    Progress,
    /// The writes of a snapshot.
    Counting,
}

/// Every claim, in the order of the columns.
pub(super) const CLAIMS: [Claim; 8] = [
    Claim {
        column: "holds",
        promise: "the promise itself: holds and suspends exclude each other, whoever comes, goes or cancels",
        get: |claims| claims.holds,
        rests_on: Check::Everything(&[
            ("exclusion", None),
            ("arrives", None),
            ("freshness", None),
            ("twice", None),
            ("queued", None),
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
        promise: "a hold within a hold never deadlocks against a waiting suspender",
        get: |claims| claims.nests,
        rests_on: Check::Models(&[("nested", None), ("crossed", None), ("deep", None)]),
        of_controls: false,
    },
    Claim {
        column: "bounded wait",
        promise: "a suspender waits only for holds that began before its turn came",
        get: |claims| claims.bounded_wait,
        rests_on: Check::Progress,
        of_controls: false,
    },
    Claim {
        column: "sleeps in hold",
        promise: "a reader may sleep in its hold",
        get: |claims| claims.sleeps_in_hold,
        rests_on: Check::Models(&[("sleeps", None)]),
        of_controls: false,
    },
    Claim {
        column: "snapshot free of writes",
        promise: "a snapshot writes no shared word",
        get: |claims| claims.snapshot_free_of_writes,
        rests_on: Check::Counting,
        of_controls: false,
    },
    Claim {
        column: "no quiescent points",
        promise: "a reader that holds nothing keeps no suspender waiting, whether it comes back or not",
        get: |claims| !claims.needs_quiescence,
        rests_on: Check::Models(&[("forgets", None)]),
        of_controls: false,
    },
    Claim {
        column: "suspends alone",
        promise: "two suspends never overlap",
        get: |claims| claims.suspends_alone,
        rests_on: Check::Models(&[("rivals", Some(0))]),
        of_controls: true,
    },
    Claim {
        column: "drop ends leaks",
        promise: "dropping a reader ends the holds of guards that it leaked",
        get: |claims| claims.drop_ends_leaks,
        rests_on: Check::Models(&[("leaks", None)]),
        of_controls: false,
    },
];

impl Check {
    /// In words.
    fn describe(self) -> String {
        let models = |models: &[(&str, Option<u32>)]| {
            let named = models.iter().map(|(model, readers)| match readers {
                None => format!("`{model}`"),
                Some(readers) => format!("`{model}` with {readers} readers"),
            });
            named.collect::<Vec<_>>().join(", ")
        };
        match self {
            Check::Models(list) => models(list),
            Check::Everything(list) => {
                format!(
                    "{}; random schedules and the stress can refute it",
                    models(list)
                )
            }
            Check::Progress => String::from(
                "a directed schedule: a hold after the suspender asked; a suspender under endless holds in fair ones",
            ),
            Check::Counting => {
                String::from("the stores and read-modify-writes of a snapshot, counted")
            }
        }
    }
}

/// One line a claim: what it promises, and what checks it.
pub(crate) fn grid() -> Grid {
    let columns = ["claim", "the promise", "what checks it"];
    let mut grid = Grid::new("", &columns);
    grid.words = vec![1, 2];
    grid.rows.extend(CLAIMS.iter().map(|claim| {
        vec![
            claim.column.to_owned(),
            claim.promise.to_owned(),
            claim.rests_on.describe(),
        ]
    }));
    grid
}
