//! Every scheme on a machine that ignores one kind of ordering, and must be caught there.
//!
//! A scheme that is not caught does not need that kind; it is then named in one of the lists below,
//! with the reason, and must pass.

use crate::backend::Loom;
use crate::case::Case;
use crate::model::{self, Model};
use crate::mutation::{
    Mutation, Symmetric, SymmetricWithoutFence, WithoutAcquire, WithoutFence, WithoutMembarrier,
    WithoutRelease,
};
use crate::verdict::Expected;
use ptom::scheme::{Claims, Scheme, Visit, each};
use std::marker::PhantomData;

/// Schemes whose holds need no fence: they are locks, whose words are only ever changed by
/// read-modify-writes. (`seqlock` has fences, for its snapshots: [`all`] has a row for that.)
const HOLDS_WITHOUT_FENCE: &[&str] = &["rwlock", "solaris", "seqlock"];

/// Schemes that ask whether the asymmetric pair of fences works, and have two ways of going on.
const ASKS: &[&str] = &["percpu_asym"];

/// All of them.
pub(super) fn all() -> Vec<Case> {
    let mut cases = exclusion::<WithoutFence>(HOLDS_WITHOUT_FENCE);
    cases.extend(exclusion::<WithoutRelease>(&[]));
    cases.extend(exclusion::<WithoutAcquire>(&[]));
    cases.extend(freshness());
    cases.extend(snapshot::<WithoutFence>());
    cases.extend(snapshot::<WithoutRelease>());
    cases.extend(snapshot::<WithoutAcquire>());
    cases.extend(fallback::<Symmetric>(None));
    cases.extend(fallback::<SymmetricWithoutFence>(Some(Expected::RACE)));
    cases.extend(fallback::<WithoutMembarrier>(Some(Expected::RACE)));
    cases
}

/// The `exclusion` model of every scheme; those in `unharmed` pass it.
fn exclusion<M: Mutation>(unharmed: &'static [&'static str]) -> Vec<Case> {
    collect::<M>(move |name, claims, models| {
        let mut model = *models.iter().find(|model| model.name == "exclusion")?;
        if !unharmed.contains(&name) {
            model.expected = Expected::RACE;
        }
        claims.holds.then(|| vec![one_reader(model)])
    })
}

/// The `freshness` model of every scheme, whose readers have nothing else to learn of a resume by.
fn freshness() -> Vec<Case> {
    collect::<WithoutAcquire>(|_, claims, models| {
        let mut model = *models.iter().find(|model| model.name == "freshness")?;
        model.expected = model::STALE;
        claims.holds.then(|| vec![one_reader(model)])
    })
}

/// The `snapshot` model of every scheme that has a snapshot of its own.
fn snapshot<M: Mutation>() -> Vec<Case> {
    collect::<M>(|_, claims, models| {
        let mut model = *models.iter().find(|model| model.name == "snapshot")?;
        model.expected = model::TORN;
        let own = claims.holds && claims.snapshot_free_of_writes;
        own.then(|| vec![one_reader(model)])
    })
}

/// Without `membarrier`: the schemes that ask, in every model, or in `exclusion` if they must fail;
/// and every other scheme in `exclusion`, so that none relies on the light fence without asking.
fn fallback<M: Mutation>(failure: Option<Expected>) -> Vec<Case> {
    collect::<M>(move |name, claims, models| {
        let asks = ASKS.contains(&name);
        if asks && failure.is_none() {
            return Some(models.iter().copied().map(fewest).collect());
        }
        let mut model = *models.iter().find(|model| model.name == "exclusion")?;
        model.expected = failure.unwrap_or(model.expected);
        (asks || claims.holds && failure.is_none()).then(|| vec![one_reader(model)])
    })
}

/// One reader: what is taken away is missed at once.
fn one_reader(model: Model) -> Model {
    Model {
        readers: &[1],
        ..model
    }
}

/// Two threads.
fn fewest(model: Model) -> Model {
    Model {
        readers: &model.readers[..1],
        ..model
    }
}

/// Visits every scheme, and asks `choose` which of its models to run and what to expect of them.
fn collect<M: Mutation>(
    choose: impl Fn(&str, Claims, &[Model]) -> Option<Vec<Model>>,
) -> Vec<Case> {
    let mut collector = Collector {
        choose,
        cases: Vec::new(),
        mutation: PhantomData::<M>,
    };
    each::<Loom<M>>(&mut collector);
    collector.cases
}

struct Collector<M, C> {
    choose: C,
    cases: Vec<Case>,
    mutation: PhantomData<M>,
}

impl<M, C> Visit<Loom<M>> for Collector<M, C>
where
    M: Mutation,
    C: Fn(&str, Claims, &[Model]) -> Option<Vec<Model>>,
{
    fn visit<S: Scheme<Loom<M>>>(&mut self) {
        let models = model::all::<Loom<M>, S>();
        let name = format!("{}{}", S::NAME, M::SUFFIX);
        for model in (self.choose)(S::NAME, S::CLAIMS, &models).unwrap_or_default() {
            self.cases.extend(Case::of_model(&name, model));
        }
    }
}
