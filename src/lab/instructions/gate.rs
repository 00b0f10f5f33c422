//! What a new count may be, beside the recorded one.
//!
//! More than that by what counts as [`slack`](Counted::slack) at most: counting is exact, but compiling is not. The
//! same source chose other instructions, up to three an operation, beside other code or in another folder, and
//! a registration is inlined or not. On another target nothing is recorded. And always: a scheme that promises a hold, without quiescent points, takes at least one instruction more than no hold does, or the
//! compiler has deleted its work, and whatever is measured is not that scheme.

use super::Count;
use crate::lab::measure::contender::BASELINE;

/// Instructions that the compiler may add to an operation, whose source is the same.
pub const SLACK: f64 = 4.0;

/// A row of counted instructions.
pub trait Counted {
    /// What was counted.
    fn key(&self) -> String;
    /// How many.
    fn instructions(&self) -> f64;
    /// Of machine code for which target, by which compiler.
    fn made(&self) -> (&str, &str);
    /// Instructions that the compiler may add, whose source is the same.
    fn slack(&self) -> f64 {
        SLACK
    }
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
    let comparable = then.made().0 == now.made().0;
    (comparable && is > was + then.slack())
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
        let now = |instructions| {
            judge(
                &rows,
                &[count(BASELINE, 5.5), count("percpu", instructions)],
            )
        };
        for fine in [12.0, 14.01, 14.0 + SLACK] {
            assert_eq!(now(fine), [""; 0]);
        }
        let found = now(14.01 + SLACK);
        assert!(found.len() == 1 && found[0].contains("raised"), "{found:?}");
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
