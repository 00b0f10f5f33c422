//! Stress and litmus tests as the kit's tests and rows.

use super::broken::{Fallback, Fence, HeavyFence};
use super::litmus;
use super::outcome::{Outcome, Verdict};
use super::payload::Words;
use super::plan::Plan;
use super::registry::{self, Case, Run};
use super::stress::Quota;
use crate::conformance::sampled::{Check, Effort, Line, Table};
use crate::scheme::Registry;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// The columns of `stress.csv`.
pub(in crate::conformance) const STRESS: [&str; 11] = [
    "scheme", "readers", "holds", "suspends", "waited", "torn", "stale", "seconds", "seed",
    "verdict", "expected",
];

/// The columns of `litmus-native.csv`.
pub(in crate::conformance) const LITMUS: [&str; 6] = [
    "test",
    "backend",
    "iterations",
    "both_zero",
    "expected",
    "verdict",
];

/// The litmus tests, and every scheme of a registry on the machine as it is and on each broken one that
/// harms it.
pub(in crate::conformance) fn all<R: Registry>() -> Vec<Check> {
    let mut checks = vec![litmus()];
    checks.extend(registry::native::<R, _>().into_iter().map(intact));
    for harmed in [
        registry::without::<R, Fence, _>(),
        registry::without::<R, HeavyFence, _>(),
        registry::without::<R, Fallback, _>(),
    ] {
        checks.extend(harmed.into_iter().map(|case| stress(case, true)));
    }
    checks
}

/// The stress of a scheme on the machine as it is.
pub(in crate::conformance) fn intact(case: Case) -> Check {
    stress(case, false)
}

/// A store buffer is emptied when its CPU changes threads: a missing fence needs two to show.
fn stress(case: Case, needs_two_cpus: bool) -> Check {
    Check {
        table: Table::Stress,
        name: format!("stress/{}", case.name),
        needs_two_cpus,
        run: Box::new(move |effort| repeat(&case, effort).map(|line| vec![line])),
    }
}

/// What must fail gets no more holds than this: a thousandth of them already shows each fault.
const ENOUGH: u64 = 10_000_000;

/// Runs a case until it shows something.
fn repeat(case: &Case, effort: &Effort) -> Result<Line, String> {
    let holds = match case.expected {
        Verdict::Fail => effort.holds.min(ENOUGH),
        _ => effort.holds,
    };
    let mut tried = 1;
    loop {
        let plan = Plan {
            holds,
            readers: effort.readers as usize,
            seed: effort.seed + tried - 1,
        };
        let outcome = once(case.run, plan, effort.patience)?;
        let verdict = outcome.verdict();
        // A failure that nobody expects is one, however often it is tried.
        if [case.expected, Verdict::Fail].contains(&verdict) || tried >= effort.tries {
            return Ok(line(case, plan, &outcome));
        }
        tried += 1;
    }
}

/// One run, in a thread that is left behind if it never ends.
fn once(run: Run<Words>, plan: Plan, patience: Option<Duration>) -> Result<Outcome, String> {
    let (done, outcome) = mpsc::channel();
    thread::spawn(move || done.send(run(plan, &Words::default(), &Quota::default())));
    match outcome.recv_timeout(patience.unwrap_or(Duration::MAX)) {
        Ok(outcome) => Ok(outcome),
        Err(RecvTimeoutError::Timeout) => Err("it does not end: a deadlock?".to_owned()),
        Err(RecvTimeoutError::Disconnected) => Err("it panicked".to_owned()),
    }
}

pub(in crate::conformance) fn line<P>(case: &Case<P>, plan: Plan, outcome: &Outcome) -> Line {
    let verdict = outcome.verdict();
    let fields = [
        case.name.clone(),
        plan.readers.to_string(),
        outcome.holds.to_string(),
        outcome.suspends.to_string(),
        outcome.waited().to_string(),
        outcome.torn.to_string(),
        outcome.stale.to_string(),
        format!("{:.3}", outcome.elapsed.as_secs_f64()),
        plan.seed.to_string(),
        verdict.to_string(),
        case.expected.to_string(),
    ];
    Line {
        fields: fields.into(),
        expected: verdict == case.expected,
        again: None,
    }
}

fn litmus() -> Check {
    let line = |row: litmus::Row| Line {
        // What cannot be shown here is neither a pass nor a surprise.
        expected: row.verdict != litmus::Verdict::Fail,
        fields: vec![
            row.test.to_owned(),
            row.backend.clone(),
            row.iterations.to_string(),
            row.both_zero.to_string(),
            row.expected.to_string(),
            row.verdict.to_string(),
        ],
        again: None,
    };
    Check {
        table: Table::Litmus,
        name: "litmus-native/fences".to_owned(),
        needs_two_cpus: false,
        run: Box::new(move |effort| {
            let rows = litmus::all(effort.seed);
            Ok(rows.into_iter().map(line).collect())
        }),
    }
}
