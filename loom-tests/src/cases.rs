//! Every case there is.

use crate::backend::Loom;
use crate::case::Case;
use crate::model;
use ptom::scheme::{Scheme, Visit, each};

/// All cases, in the order of their rows.
///
/// # Panics
/// If two have the same key.
pub fn all() -> Vec<Case> {
    let mut every = AsWritten::default();
    each::<Loom>(&mut every);
    let AsWritten(mut cases) = every;
    cases.extend(crate::twin::all());
    cases.extend(crate::litmus::all());
    cases.sort_by_key(|case| (case.scheme.clone(), case.model, case.readers));
    let twice = cases.windows(2).find(|pair| pair[0].key() == pair[1].key());
    assert!(twice.is_none(), "two cases of one name: {twice:?}");
    cases
}

/// Every model for every scheme of the registry.
#[derive(Default)]
struct AsWritten(Vec<Case>);

impl Visit<Loom> for AsWritten {
    fn visit<S: Scheme<Loom>>(&mut self) {
        for model in model::all::<Loom, S>() {
            self.0.extend(Case::of_model(S::NAME, model));
        }
    }
}
