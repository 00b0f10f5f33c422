//! The models: one file, one idea each; every one runs for every scheme of the registry.
//!
//! A model is a small program that uses a scheme as its contract allows. loom runs it in every order
//! and with every value that memory may return, and it holds if no execution races on the payload,
//! fails an assertion, or leaves every thread asleep. That all threads end is part of each of them.

mod arrives;
mod cancelled;
mod crossed;
mod deep;
mod departs;
mod exclusion;
mod forgets;
mod freshness;
mod joins;
mod leaks;
mod nested;
mod queued;
mod rivals;
mod sleeps;
mod snapshot;
mod translates;
mod tries;
mod twice;

use crate::backend::Backend;
use crate::conformance::verdict::Expected;
use crate::scheme::Scheme;
pub use freshness::STALE;
pub use snapshot::TORN;

/// A model of one scheme.
#[derive(Clone, Copy, Debug)]
pub struct Model {
    /// The stem of its file.
    pub name: &'static str,
    /// One execution, with so many readers.
    pub body: fn(usize),
    /// The numbers of readers to try.
    pub readers: &'static [usize],
    /// Threads beside the readers.
    pub suspenders: usize,
    /// The bound on preemptions, where the model is too long for the usual one.
    pub bound: Option<usize>,
    /// What the scheme must show, given what it claims.
    pub expected: Expected,
}

impl Model {
    /// A model of readers and one suspender, of a scheme that must pass it, unless it is a control.
    fn of<B: Backend, S: Scheme<B>>(
        name: &'static str,
        body: fn(usize),
        control: Expected,
    ) -> Self {
        Self {
            name,
            body,
            readers: &[1, 2],
            suspenders: 1,
            bound: None,
            expected: if S::CLAIMS.holds {
                Expected::Pass
            } else {
                control
            },
        }
    }
}

/// Every model, for one scheme.
pub fn all<B: Backend, S: Scheme<B>>() -> Vec<Model> {
    vec![
        arrives::model::<B, S>(),
        cancelled::model::<B, S>(),
        crossed::model::<B, S>(),
        deep::model::<B, S>(),
        departs::model::<B, S>(),
        exclusion::model::<B, S>(),
        forgets::model::<B, S>(),
        freshness::model::<B, S>(),
        joins::model::<B, S>(),
        leaks::model::<B, S>(),
        nested::model::<B, S>(),
        queued::model::<B, S>(),
        rivals::model::<B, S>(),
        sleeps::model::<B, S>(),
        snapshot::model::<B, S>(),
        translates::model::<B, S>(),
        tries::model::<B, S>(),
        twice::model::<B, S>(),
    ]
}

/// One model, by its name, for one scheme.
///
/// # Panics
/// If there is none of this name.
pub fn named<B: Backend, S: Scheme<B>>(name: &str) -> Model {
    let mut all = all::<B, S>().into_iter();
    all.find(|model| model.name == name).expect("a model")
}
