//! One case: a scheme or a twin, a model, how many readers, how far to explore, and what to find.

use super::exhaustive::bound::Bound;
use super::exhaustive::model::Model;
use super::verdict::Expected;

/// Something to explore; one row of `models.csv`.
#[derive(Clone, Debug)]
pub struct Case {
    /// A scheme's name, or a twin's.
    pub scheme: String,
    /// The model's name.
    pub model: &'static str,
    /// Readers beside the suspenders.
    pub readers: usize,
    /// All threads, the suspenders included.
    pub threads: usize,
    /// How often a thread may be preempted in one execution; `None` explores every execution.
    pub bound: Option<usize>,
    /// Whether it is too long to be explored in more than one way.
    pub long: bool,
    /// One execution.
    pub body: fn(usize),
    /// Explored again and again, with the first, second, ... weak compare-exchange of each
    /// execution failing for no reason, until no execution has so many.
    pub spurious: bool,
    /// What must come of it.
    pub expected: Expected,
}

impl Case {
    /// The model with each of its numbers of readers, for a scheme or twin of this name.
    pub fn of_model(scheme: &str, model: Model, bound: Bound) -> impl Iterator<Item = Self> {
        let scheme = scheme.to_owned();
        model.readers.iter().map(move |&readers| Self {
            scheme: scheme.clone(),
            model: model.name,
            readers,
            threads: readers + model.suspenders,
            bound: model
                .bound
                .or_else(|| bound(&scheme, model.name, readers + model.suspenders)),
            long: model.bound.is_some(),
            body: model.body,
            spurious: false,
            expected: model.expected,
        })
    }

    /// Its bound, as results files have it: empty where there is none.
    pub fn bound_text(&self) -> String {
        self.bound.map_or(String::new(), |bound| bound.to_string())
    }

    /// Identifies it among all cases.
    pub fn key(&self) -> String {
        format!("{}/{}/{}", self.scheme, self.model, self.readers)
    }
}
