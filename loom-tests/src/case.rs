//! One case: a scheme or a twin, a model, how many readers, how far to explore, and what to find.

use crate::model::Model;
use crate::verdict::Expected;

/// Something to explore; one row of `results/models.csv`.
#[derive(Clone, Debug)]
pub struct Case {
    /// A scheme's name, or a twin's.
    pub scheme: String,
    /// The model's name.
    pub model: &'static str,
    /// Readers beside the suspenders.
    pub readers: usize,
    /// How often a thread may be preempted in one execution; `None` explores every execution.
    pub bound: Option<usize>,
    /// One execution.
    pub body: fn(usize),
    /// What must come of it.
    pub expected: Expected,
}

impl Case {
    /// The model with each of its numbers of readers, for a scheme or twin of this name.
    pub(crate) fn of_model(scheme: &str, model: Model) -> impl Iterator<Item = Self> {
        let scheme = scheme.to_owned();
        model.readers.iter().map(move |&readers| Self {
            scheme: scheme.clone(),
            model: model.name,
            readers,
            bound: crate::bound::of(&scheme, model.name, readers + model.suspenders),
            body: model.body,
            expected: model.expected,
        })
    }

    /// Identifies it among all cases.
    pub fn key(&self) -> String {
        format!("{}/{}/{}", self.scheme, self.model, self.readers)
    }
}
