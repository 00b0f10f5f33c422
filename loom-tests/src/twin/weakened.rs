//! Every scheme on a machine that ignores one kind of ordering, and must be caught there.
//!
//! A scheme that is not caught does not need that kind; it is then named in one of the lists below,
//! with the reason, and must pass.

use crate::bound;
use ptom::conformance::case::Case;
use ptom::conformance::exhaustive::Loom;
use ptom::conformance::exhaustive::model::{self, Model};
use ptom::conformance::exhaustive::mutation::{
    Mutation, SymmetricWithoutFence, WithoutAcquire, WithoutFence, WithoutMembarrier,
    WithoutRelease,
};
use ptom::conformance::verdict::Expected;
use ptom::scheme::{Claims, Ours, Registry, Scheme, Visit};
use std::marker::PhantomData;

/// Schemes whose holds need no fence: they are locks, whose words are only ever changed by
/// read-modify-writes. (`seqlock` has fences, for its snapshots: [`all`] has a row for that.)
const HOLDS_WITHOUT_FENCE: &[&str] = &["rwlock", "solaris", "seqlock", "phase_fair"];

/// Schemes that ask whether the asymmetric pair of fences works, and have two ways of going on.
const ASKS: &[&str] = &["percpu_asym", "percpu_rwsem"];

/// All of them.
pub(super) fn all() -> Vec<Case> {
    let mut cases = exclusion::<WithoutFence>(HOLDS_WITHOUT_FENCE);
    cases.extend(joins());
    cases.extend(exclusion::<WithoutRelease>(&[]));
    cases.extend(exclusion::<WithoutAcquire>(&[]));
    cases.extend(freshness());
    cases.extend(snapshot::<WithoutFence>());
    cases.extend(snapshot::<WithoutRelease>());
    cases.extend(snapshot::<WithoutAcquire>());
    cases.extend(fallback::<SymmetricWithoutFence>());
    cases.extend(fallback::<WithoutMembarrier>());
    cases
}

/// The `exclusion` model of every scheme; those in `unharmed` pass it.
fn exclusion<M: Mutation>(unharmed: &'static [&'static str]) -> Vec<Case> {
    collect::<M>(move |name, claims, models| {
        let mut model = *models.iter().find(|model| model.name == "exclusion")?;
        if !unharmed.contains(&name) {
            model.expected = Expected::RACE;
        }
        // Who is registered is waited for, fence or not: `joins` has that.
        let online = claims.needs_quiescence && M::SUFFIX == WithoutFence::SUFFIX;
        (claims.holds && !online).then(|| vec![one_reader(model)])
    })
}

/// The `joins` model of the schemes whose handshake is part of registering.
fn joins() -> Vec<Case> {
    collect::<WithoutFence>(|_, claims, models| {
        let mut model = *models.iter().find(|model| model.name == "joins")?;
        model.expected = Expected::RACE;
        let online = claims.holds && claims.needs_quiescence;
        online.then(|| vec![one_reader(model)])
    })
}

/// The `freshness` model of every scheme whose readers have nothing else to learn of a resume by. (One that
/// comes online has a fence.)
fn freshness() -> Vec<Case> {
    collect::<WithoutAcquire>(|_, claims, models| {
        let mut model = *models.iter().find(|model| model.name == "freshness")?;
        model.expected = model::STALE;
        (claims.holds && !claims.needs_quiescence).then(|| vec![one_reader(model)])
    })
}

/// The `snapshot` model of every scheme that has a snapshot of its own, and not a hold that writes nothing.
fn snapshot<M: Mutation>() -> Vec<Case> {
    collect::<M>(|_, claims, models| {
        let mut model = *models.iter().find(|model| model.name == "snapshot")?;
        model.expected = model::TORN;
        let own = claims.holds && claims.snapshot_free_of_writes && !claims.needs_quiescence;
        own.then(|| vec![one_reader(model)])
    })
}

/// Without `membarrier`, and with a fallback that does nothing: the schemes that ask, in `exclusion`.
fn fallback<M: Mutation>() -> Vec<Case> {
    collect::<M>(|name, _, models| {
        let mut model = *models.iter().find(|model| model.name == "exclusion")?;
        model.expected = Expected::RACE;
        ASKS.contains(&name).then(|| vec![one_reader(model)])
    })
}

/// One reader: what is taken away is missed at once.
fn one_reader(model: Model) -> Model {
    Model {
        readers: &[1],
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
    Ours::each(&mut collector);
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
            self.cases.extend(Case::of_model(&name, model, bound::of));
        }
    }
}
