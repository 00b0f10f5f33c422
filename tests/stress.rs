//! The stress itself: mistakes that need no fence to be missing are caught.
//!
//! (What a registry has is stressed by the kit's program.) These tests take turns: each wants all CPUs.

mod twin;

use ptom::backend::Native;
use ptom::conformance::native::outcome::{Outcome, Verdict};
use ptom::conformance::native::payload::Words;
use ptom::conformance::native::plan::Plan;
use ptom::conformance::native::registry::{self, Case};
use ptom::conformance::native::stress::Quota;
use std::sync::{Mutex, MutexGuard, PoisonError};
use twin::Twin;

/// A tenth of a second to a few seconds a scheme.
const HOLDS: u64 = 500_000;
/// What must be caught is looked for again, so many times, with other seeds.
const TRIES: u64 = 20;

fn take_turns() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run(case: &Case, seed: u64) -> Outcome {
    let plan = Plan {
        seed,
        ..Plan::holds(HOLDS)
    };
    (case.run)(plan, &Words::default(), &Quota::default())
}

/// Panics unless something torn is seen.
fn must_tear(case: &Case) {
    let tries = (1..=TRIES).map(|seed| (seed, run(case, seed).torn));
    let mut tries = tries.skip_while(|&(_, torn)| torn == 0);
    let (tries, torn) = tries.next().unwrap_or_else(|| {
        panic!("{} was not caught in {TRIES} runs", case.name);
    });
    println!("{}: {torn} torn, run {tries}", case.name);
}

#[test]
fn a_hold_that_ends_with_its_inner_one_is_seen() {
    let _turn = take_turns();
    must_tear(&registry::case::<Native, Twin<true, true>, _>());
}

#[test]
fn a_snapshot_without_a_hold_is_seen() {
    let _turn = take_turns();
    must_tear(&registry::case::<Native, Twin<false, false>, _>());
}

#[test]
fn a_scheme_of_ones_own_passes() {
    let _turn = take_turns();
    let case = registry::case::<Native, Twin<false, true>, _>();
    assert_eq!(run(&case, 1).verdict(), Verdict::Pass);
}
