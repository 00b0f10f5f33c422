//! What a new count may be, beside the recorded one.
//!
//! More by [`SLACK`] at most: counting is exact, and so is one compiler, in any folder, since what is counted is one
//! unit of code to it; but other code beside it may move an instruction. Another compiler may add [`OTHER_COMPILER`].
//! On another target nothing is recorded. And always: a scheme that promises a hold, without quiescent points, takes
//! at least one instruction more than no hold does, or the compiler has deleted its work, and whatever is measured is
//! not that scheme.

use super::Count;
use crate::lab::measure::contender::BASELINE;

/// What may come to a count: so many instructions, and such a part of it.
#[derive(Clone, Copy, Debug)]
pub struct Slack {
    /// Instructions.
    pub instructions: f64,
    /// Part of the count.
    pub part: f64,
}

/// Of the compiler that made the record.
pub const SLACK: Slack = Slack {
    instructions: 1.0,
    part: 0.01,
};
/// Of another.
pub const OTHER_COMPILER: Slack = Slack {
    instructions: 4.0,
    part: 0.5,
};

impl Slack {
    /// The most that a count may be where `was` is recorded.
    fn most(self, was: f64) -> f64 {
        was * (1.0 + self.part) + self.instructions
    }
}

/// A row of counted instructions.
pub trait Counted {
    /// What was counted.
    fn key(&self) -> String;
    /// How many.
    fn instructions(&self) -> f64;
    /// Of machine code for which target, by which compiler.
    fn made(&self) -> (&str, &str);
}

/// Everything that is wrong with the `counted` rows, one line each; `holds` says whether a scheme promises a
/// hold.
pub fn problems(
    recorded: &[Count],
    counted: &[Count],
    holds: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut problems = Vec::new();
    for count in counted.iter().filter(|count| holds(&count.scheme)) {
        let read = |row: &&Count| row.workload == count.workload && row.scheme == BASELINE;
        let read = counted
            .iter()
            .find(read)
            .map_or(0.0, |raw| raw.instructions);
        if count.instructions < read + 1.0 {
            problems.push(format!(
                "{}: {} instructions, the unprotected read takes {read}: the hold is gone",
                count.key(),
                count.instructions
            ));
        }
    }
    problems.extend(differences(recorded, counted));
    problems
}

/// Every count that is above what is recorded, is not recorded, or is recorded and not there, one line each.
pub fn differences<C: Counted>(recorded: &[C], counted: &[C]) -> Vec<String> {
    let mut problems = Vec::new();
    for now in counted {
        let key = now.key();
        match recorded.iter().find(|then| then.key() == key) {
            None => problems.push(format!("{key}: no count is recorded: record it")),
            Some(then) => problems.extend(against(&key, then, now)),
        }
    }
    let gone = |then: &&C| counted.iter().all(|now| now.key() != then.key());
    for then in recorded.iter().filter(gone) {
        problems.push(format!(
            "{}: is recorded, but there is no such row",
            then.key()
        ));
    }
    problems
}

/// What is wrong with a count beside the recorded one.
fn against(key: &str, then: &impl Counted, now: &impl Counted) -> Option<String> {
    let (was, is) = (then.instructions(), now.instructions());
    let ((target, compiler), (target_now, compiler_now)) = (then.made(), now.made());
    let slack = if compiler == compiler_now {
        SLACK
    } else {
        OTHER_COMPILER
    };
    (target == target_now && is > slack.most(was))
        .then(|| format!("{key}: raised from {was} to {is} instructions"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::sample::Workload;

    fn count(scheme: &str, instructions: f64) -> Count {
        Count {
            scheme: scheme.to_owned(),
            workload: Workload::Hold,
            instructions,
            target: "x86_64".to_owned(),
            compiler: "rustc 1".to_owned(),
        }
    }

    fn judge(recorded: &[Count], counted: &[Count]) -> Vec<String> {
        problems(recorded, counted, |scheme| scheme != BASELINE)
    }

    #[test]
    fn the_same_is_no_problem() {
        let rows = [count(BASELINE, 5.5), count("percpu", 14.0)];
        assert_eq!(judge(&rows, &rows), [""; 0]);
    }

    #[test]
    fn more_than_the_slack_is_one() {
        let rows = [count(BASELINE, 5.5), count("percpu", 14.0)];
        let now = |instructions, compiler: &str| {
            let percpu = Count {
                compiler: compiler.to_owned(),
                ..count("percpu", instructions)
            };
            judge(&rows, &[count(BASELINE, 5.5), percpu])
        };
        for (compiler, slack) in [("rustc 1", SLACK), ("rustc 2", OTHER_COMPILER)] {
            for fine in [12.0, 14.01, slack.most(14.0)] {
                assert_eq!(now(fine, compiler), [""; 0]);
            }
            let found = now(slack.most(14.0) + 0.01, compiler);
            assert!(found.len() == 1 && found[0].contains("raised"), "{found:?}");
        }
    }

    #[test]
    fn of_another_target_nothing_is_known() {
        let rows = [count(BASELINE, 5.5), count("percpu", 14.0)];
        let other = Count {
            target: "aarch64".to_owned(),
            ..count("percpu", 40.0)
        };
        assert_eq!(judge(&rows, &[count(BASELINE, 5.5), other]), [""; 0]);
    }

    #[test]
    fn a_hold_that_the_compiler_deleted_is_a_problem_even_where_it_is_recorded() {
        let rows = [count(BASELINE, 5.5), count("percpu", 5.5)];
        let found = judge(&rows, &rows);
        assert!(found.len() == 1 && found[0].contains("gone"), "{found:?}");
    }

    #[test]
    fn a_row_too_many_or_too_few_is_a_problem() {
        let (raw, percpu) = (count(BASELINE, 5.5), count("percpu", 14.0));
        let both = [raw.clone(), percpu];
        assert!(judge(&both[..1], &both)[0].contains("no count is recorded"));
        assert!(judge(&both, &[raw])[0].contains("no such row"));
    }
}
