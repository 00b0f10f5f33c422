//! A scheme to check: its cases as it is, and its cases on machines that are worse than loom's.

use super::case::Case;
use super::exhaustive::Loom;
use super::exhaustive::bound::Bound;
use super::exhaustive::model::{self, Model};
use super::exhaustive::mutation::{AsWritten, Mutation, StaleFailures, Symmetric};
use super::exhaustive::site;
use crate::backend::Backend;
use crate::scheme::{Claims, Registry, Scheme, Size, Tables, Visit};
use std::marker::PhantomData;

/// Preemptions on the worse machines: what they change is seen at once, or not at all.
const WORSE: usize = 2;
/// Weak exchanges that fail multiply the executions.
const SPURIOUS: &str = "-spurious-failures";

/// A scheme to check.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its name.
    pub name: &'static str,
    /// What it promises.
    pub claims: Claims,
    /// Whether it asks for the asymmetric pair of fences, and so has two ways of going on.
    pub asks: bool,
    /// Its models, with and, if it asks, without the asymmetric pair of fences: a weakened ordering must
    /// fail one of them.
    pub suite: Vec<Case>,
    /// The same on machines whose compare-exchanges fail in ways that loom does not show.
    pub worse: Vec<Case>,
}

/// Every scheme of a registry.
pub(super) fn all<R: Registry>(bound: Bound) -> Vec<Subject> {
    let mut subjects = of::<AsWritten, R>(bound);
    let without_pair = of::<Symmetric, R>(bound);
    let stale_failures = of::<StaleFailures, R>(bound);
    let others = without_pair.into_iter().zip(stale_failures);
    for (subject, (without_pair, stale_failures)) in subjects.iter_mut().zip(others) {
        if subject.asks {
            subject.suite.extend(without_pair.suite);
        }
        if subject.claims.holds {
            subject.worse = worse(subject.name, &stale_failures.suite);
        }
    }
    subjects
}

/// The cases of two threads: with stale failures, and once more with weak exchanges that fail.
fn worse(name: &str, cases: &[Case]) -> Vec<Case> {
    let short = cases.iter().filter(|case| case.threads <= 2 && !case.long);
    let mut stale: Vec<Case> = short
        .map(|case| Case {
            bound: lower(case.bound),
            ..case.clone()
        })
        .collect();
    let spurious = |case: &Case| Case {
        scheme: format!("{name}{SPURIOUS}"),
        spurious: true,
        ..case.clone()
    };
    let spurious: Vec<Case> = stale.iter().map(spurious).collect();
    stale.extend(spurious);
    stale
}

fn lower(bound: Option<usize>) -> Option<usize> {
    Some(bound.map_or(WORSE, |bound| bound.min(WORSE)))
}

/// The schemes on one machine, nothing but their models.
fn of<M: Mutation, R: Registry>(bound: Bound) -> Vec<Subject> {
    let mut collect = Collect {
        bound,
        subjects: Vec::new(),
        mutation: PhantomData::<M>,
    };
    R::each(&mut collect);
    collect.subjects
}

struct Collect<M> {
    bound: Bound,
    subjects: Vec<Subject>,
    mutation: PhantomData<M>,
}

impl<M: Mutation> Visit<Loom<M>> for Collect<M> {
    fn visit<S: Scheme<Loom<M>>>(&mut self) {
        let name = format!("{}{}", S::NAME, M::SUFFIX);
        let cases = |model: Model| Case::of_model(&name, model, self.bound);
        self.subjects.push(Subject {
            name: S::NAME,
            claims: S::CLAIMS,
            asks: asks::<Loom<M>, S>(),
            suite: model::all::<Loom<M>, S>()
                .into_iter()
                .flat_map(cases)
                .collect(),
            worse: Vec::new(),
        });
    }
}

/// Whether the scheme, being made, asks for the asymmetric pair of fences.
fn asks<B: Backend, S: Scheme<B>>() -> bool {
    let before = site::asked();
    loom::model(|| {
        drop(S::new(Size {
            readers: 1,
            tables: Tables::SMALL,
        }))
    });
    site::asked() > before
}
