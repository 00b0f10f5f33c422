//! What a new count may be, beside the recorded one.
//!
//! With the recorded compiler and target: exactly that. With another compiler: at most [`SLACK`] more,
//! since it may choose other instructions for the same code. On another target nothing is recorded. And
//! always: a scheme that promises a hold, without quiescent points, takes at least one instruction more than no hold does, or the
//! compiler has deleted its work, and whatever is measured is not that scheme.

use super::Count;
use crate::lab::measure::contender::BASELINE;

/// Instructions that another compiler may add to an operation.
pub const SLACK: f64 = 2.0;

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

/// Every count that is not what is recorded, is not recorded, or is recorded and not there, one line each.
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
    let ((target, compiler), made) = (then.made(), now.made());
    if target != made.0 {
        return None;
    }
    let same = compiler == made.1;
    let slack = if same { 0.0 } else { SLACK };
    if is > was + slack {
        return Some(format!("{key}: raised from {was} to {is} instructions"));
    }
    let less = same && is < was;
    less.then(|| format!("{key}: lowered from {was} to {is} instructions: record it"))
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
    fn one_instruction_more_or_less_is_one() {
        let rows = [count(BASELINE, 5.5), count("percpu", 14.0)];
        for (now, word) in [(15.0, "raised"), (14.01, "raised"), (13.0, "lowered")] {
            let found = judge(&rows, &[count(BASELINE, 5.5), count("percpu", now)]);
            assert!(found.len() == 1 && found[0].contains(word), "{found:?}");
        }
    }

    #[test]
    fn another_compiler_may_add_two_but_not_three() {
        let rows = [count(BASELINE, 5.5), count("percpu", 14.0)];
        let now = |instructions| Count {
            compiler: "rustc 2".to_owned(),
            ..count("percpu", instructions)
        };
        assert_eq!(judge(&rows, &[count(BASELINE, 5.5), now(16.0)]), [""; 0]);
        assert_eq!(judge(&rows, &[count(BASELINE, 5.5), now(12.0)]), [""; 0]);
        assert_eq!(judge(&rows, &[count(BASELINE, 5.5), now(17.0)]).len(), 1);
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
