//! The ordering audit: each ordering weakened, one site at a time, and some model must notice.
//!
//! A weakening that a model notices is *killed*: the ordering is needed, and the models look at it. One
//! that none notices *survives*: the ordering is needless, or the models are blind, and the comment
//! beside the code must say which ([`explained`]). So each ordering in a scheme is either shown to
//! be needed, or argued for.
//!
//! A weakening is explored in passes, cheapest first, and at the first failure it is over.
//!
//! Precedent: open-s4c's vsyncer weakens the barriers of LLVM code and asks a model checker; here the site
//! is the caller's line, and the checker is loom.

pub mod explained;
pub mod row;

use super::case::Case;
use super::child;
use super::exhaustive::explore;
use super::exhaustive::site::{self, Ordered, Weakening};
use super::subject::Subject;
use super::verdict::Expected;
use row::{Row, Verdict};
use std::collections::BTreeSet;
use std::io;

/// Bounds on preemptions of the passes: for two threads, and for more. A case whose own bound is lower
/// keeps that.
const PASSES: [[usize; 2]; 2] = [[2, 1], [3, 2]];
/// Bounds at which every site is looked for: for models that begin inside a hold, and so get far with
/// few preemptions, and for the others. A site that only a model at its own bound reaches is
/// reported by that model's test.
const DISCOVERY: [usize; 2] = [2, 1];
/// Models that begin inside a hold.
const BEGIN_INSIDE: [&str; 2] = ["arrives", "queued"];

/// What a child explores that is to find every site of a scheme: each case that passes, briefly.
fn brief(subject: &Subject) -> Vec<Case> {
    let mut cases = passing(subject);
    let inside = |case: &Case| BEGIN_INSIDE.contains(&case.model);
    cases.retain(|case| inside(case) || case.threads <= 3 && !case.long);
    for case in &mut cases {
        case.bound = Some(DISCOVERY[usize::from(!inside(case))]);
    }
    cases
}

fn passing(subject: &Subject) -> Vec<Case> {
    let passes = |case: &&Case| case.expected == Expected::Pass;
    subject.suite.iter().filter(passes).cloned().collect()
}

/// Every case of every pass, those of the first pass first; a case that is complete within one pass,
/// or has reached its own bound, is in no further one.
fn in_passes(subject: &Subject, passes: &[[usize; 2]]) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for pass in passes {
        for case in passing(subject) {
            let bound = pass[usize::from(case.threads > 2)];
            let bound = Some(case.bound.map_or(bound, |own| own.min(bound)));
            let same = |done: &Case| done.key() == case.key() && done.bound == bound;
            if !cases.iter().any(same) {
                cases.push(Case { bound, ..case });
            }
        }
    }
    cases
}

/// Every weakening of a scheme's orderings.
///
/// # Errors
/// If the child cannot be started.
pub(super) fn weakenings(subject: &Subject) -> io::Result<Vec<Weakening>> {
    let sites = sites(subject)?;
    Ok(sites.iter().flat_map(Ordered::weaker).collect())
}

/// Every site of a scheme.
fn sites(subject: &Subject) -> io::Result<BTreeSet<Ordered>> {
    Ok(child::run(&["sites", subject.name])?.sites)
}

/// The child that reaches every site.
pub(super) fn reach(subject: &Subject) -> ! {
    explore::first_failure(&brief(subject))
}

/// How much is run against a weakening.
#[derive(Clone, Copy, Debug)]
pub(super) enum Attack<'r> {
    /// All passes.
    Whole,
    /// The first pass, of what is known to survive all.
    Brief,
    /// What killed it last time.
    Killer(&'r Row),
}

impl<'r> Attack<'r> {
    /// What is enough to see that nothing has changed since the row was recorded.
    pub(super) fn again(row: Option<&'r Row>) -> Self {
        match row {
            Some(row) if row.is_killed() => Self::Killer(row),
            Some(row) if row.is_settled() => Self::Brief,
            _ => Self::Whole,
        }
    }
}

/// The child that looks for a failure with one ordering weakened: in every pass; in the first, if
/// `only` is [`BRIEF`]; or in the case of this key with this bound.
pub(super) fn attack(subject: &Subject, weakening: Weakening, only: &[&str]) -> ! {
    site::weaken(weakening);
    let cases = match *only {
        [key, bound] => {
            let mut cases = in_passes(subject, &PASSES);
            cases.retain(|case| case.key() == key && case.bound_text() == bound);
            assert!(!cases.is_empty(), "no case {key} of bound {bound}");
            cases
        }
        [BRIEF] => in_passes(subject, &PASSES[..1]),
        _ => in_passes(subject, &PASSES),
    };
    explore::first_failure(&cases)
}

/// Says to a child that one pass is enough.
const BRIEF: &str = "brief";

/// Attacks a scheme with one weakening, in a child.
///
/// # Errors
/// If the child cannot be started.
pub(super) fn judge(subject: &Subject, weakening: &Weakening, with: Attack<'_>) -> io::Result<Row> {
    let mut what = vec![
        "weaken".to_owned(),
        subject.name.to_owned(),
        weakening.to_string(),
    ];
    match with {
        Attack::Whole => (),
        Attack::Brief => what.push(BRIEF.to_owned()),
        Attack::Killer(row) => what.extend([row.case(), row.bound.clone()]),
    }
    let what: Vec<&str> = what.iter().map(String::as_str).collect();
    let report = child::run(&what)?;
    let verdict = match &report.outcome.failure {
        None => explained::of(subject.name, weakening).into(),
        Some(failure) if failure.kind.is_a_finding() => Verdict::Killed(failure.to_string()),
        Some(failure) => Verdict::Unknown(failure.to_string()),
    };
    Ok(Row::new(subject.name, weakening, &report, verdict))
}
