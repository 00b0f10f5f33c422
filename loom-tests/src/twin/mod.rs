//! Twins: what the models must not let pass.
//!
//! Each lacks one thing that a scheme has, and the model about that thing must fail, for that very
//! reason: `weakened` takes orderings from the registered schemes; the other files are schemes with
//! a step left out. A scheme that does not claim to nest is its own twin (see the `nested` model).

mod epoch;
mod exchange;
mod gate;
mod optimist;
mod toy;
mod weakened;
mod wrapping;

use crate::bound;
use ptom::conformance::case::Case;
use ptom::conformance::exhaustive::Loom;
use ptom::conformance::exhaustive::model::{self, Model};
use ptom::conformance::exhaustive::mutation::{AsWritten, Mutation, StaleFailures};
use ptom::conformance::verdict::Expected;
use toy::{Protocol, Toy};

/// All twins.
pub fn all() -> Vec<Case> {
    let mut cases = weakened::all();
    cases.extend(gates());
    let (race, torn) = (Expected::RACE, model::TORN);
    cases.push(case::<epoch::Rcu<Loom>>(
        "epoch-without-gate",
        "exclusion",
        race,
    ));
    type Optimist = optimist::Optimist<Loom>;
    cases.push(case::<Optimist>(
        "seqlock-validated-hold",
        "exclusion",
        race,
    ));
    cases.push(case::<Optimist>("seqlock-validated-hold", "snapshot", torn));
    cases.push(case::<wrapping::Wrapping<Loom>>(
        "solaris-uint8",
        "nested",
        Expected::Pass,
    ));
    cases.push(case::<wrapping::Wrapping<Loom>>(
        "solaris-uint8",
        "deep",
        Expected::DEADLOCK,
    ));
    cases.extend(exchanges());
    cases
}

/// What loom alone does not find; each passes there, and fails where exchanges fail as they may.
fn exchanges() -> Vec<Case> {
    use exchange::{Credulous, Peeking};
    let credulous = |name, spurious, expected| Case {
        spurious,
        ..case::<Credulous<Loom>>(name, "exclusion", expected)
    };
    vec![
        credulous("spurious-failure-trusted", false, Expected::Pass),
        credulous("spurious-failure-trusted-found", true, Expected::DEADLOCK),
        case::<Peeking<Loom>>("stale-failure-trusted", "exclusion", Expected::Pass),
        case_on::<StaleFailures, Peeking<Loom<StaleFailures>>>(
            "stale-failure-trusted-found",
            "exclusion",
            &[1],
            Expected::RACE,
        ),
    ]
}

fn gates() -> Vec<Case> {
    use gate::{
        Clinging, Gated, Intact, LockedOut, LooksBefore, LooksOnce, Open, Silent, Steps, Undrained,
    };
    fn of<D: Steps>(model: &str, expected: Expected) -> Case {
        case::<Gated<Loom, D>>(D::NAME, model, expected)
    }
    vec![
        of::<Intact>("cancelled", Expected::Pass),
        of::<Intact>("exclusion", Expected::Pass),
        of::<Intact>("rivals", Expected::RACE),
        of::<Intact>("translates", Expected::Pass),
        of::<Intact>("twice", Expected::Pass),
        of::<LooksBefore>("exclusion", Expected::RACE),
        // One suspend does not show it: the gate does not shut again. That is why there is `twice`.
        of::<LooksOnce>("exclusion", Expected::Pass),
        of::<LooksOnce>("twice", Expected::RACE),
        of::<Open>("exclusion", Expected::RACE),
        of::<Undrained>("exclusion", Expected::RACE),
        of::<Silent>("cancelled", Expected::DEADLOCK),
        of::<LockedOut>("translates", Expected::DEADLOCK),
        // One reader alone has nobody to give its slot to.
        of::<Clinging>("departs", Expected::Pass),
        case_of_two::<Gated<Loom, Clinging>>(Clinging::NAME, "departs", Expected::RACE),
    ]
}

/// A toy scheme in one model, with one reader, or two suspenders alone.
fn case<P: Protocol<Loom>>(twin: &str, model: &str, expected: Expected) -> Case {
    let readers = model::named::<Loom, Toy<Loom, P>>(model).readers;
    case_on::<AsWritten, P>(twin, model, &readers[..1], expected)
}

/// The same with two readers.
fn case_of_two<P: Protocol<Loom>>(twin: &str, model: &str, expected: Expected) -> Case {
    case_on::<AsWritten, P>(twin, model, &[2], expected)
}

/// The same on any machine, with these readers.
fn case_on<M: Mutation, P: Protocol<Loom<M>>>(
    twin: &str,
    model: &str,
    readers: &'static [usize],
    expected: Expected,
) -> Case {
    let model = Model {
        expected,
        readers,
        ..model::named::<Loom<M>, Toy<Loom<M>, P>>(model)
    };
    let mut cases = Case::of_model(twin, model, bound::of);
    cases.next().expect("one case")
}
