//! Every scheme on the machine itself; and whatever must be caught, caught.
//!
//! These tests take turns: each wants all CPUs.

mod twin;

use ptom::backend::Native;
use ptom::conformance::native::broken::{Fallback, Fence, HeavyFence};
use ptom::conformance::native::litmus;
use ptom::conformance::native::outcome::{Outcome, Verdict};
use ptom::conformance::native::payload::Words;
use ptom::conformance::native::plan::Plan;
use ptom::conformance::native::registry::{self, Case};
use ptom::conformance::native::stress::Quota;
use ptom::scheme::Ours;
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

/// Whether the missing fence can show: a store buffer is emptied when its CPU changes threads.
fn two_cpus() -> bool {
    let two = std::thread::available_parallelism().is_ok_and(|n| n.get() >= 2);
    if !two {
        eprintln!("one CPU: nothing is shown here");
    }
    two
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
fn every_scheme_does_what_it_claims() {
    let _turn = take_turns();
    for case in registry::native::<Ours, _>()
        .into_iter()
        .chain(registry::libraries())
    {
        let outcome = run(&case, 1);
        println!("{}: {outcome:?}", case.name);
        assert_eq!(outcome.verdict(), case.expected, "{}", case.name);
        assert_eq!(outcome.holds, HOLDS);
        assert!(outcome.snapshots > 0 && outcome.registered > 0);
    }
}

#[test]
fn a_missing_fence_is_seen() {
    let _turn = take_turns();
    let missing = [
        registry::without::<Ours, Fence, _>(),
        registry::without::<Ours, HeavyFence, _>(),
        registry::without::<Ours, Fallback, _>(),
    ];
    for cases in missing {
        assert!(!cases.is_empty(), "no scheme asks for what was taken away");
        assert!(cases.iter().all(|case| case.expected == Verdict::Fail));
        for case in cases.iter().filter(|_| two_cpus()) {
            must_tear(case);
        }
    }
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

#[test]
fn the_machine_reorders_and_fences_stop_it() {
    let _turn = take_turns();
    let rows = litmus::all(1);
    for row in &rows {
        println!("{row:?}");
        assert_ne!(row.verdict, litmus::Verdict::Fail, "{row:?}");
    }
    if two_cpus() {
        let shown = |row: &&litmus::Row| row.verdict == litmus::Verdict::Pass;
        assert!(rows.iter().filter(shown).any(|r| r.test == "sb-unfenced"));
        assert!(rows.iter().filter(shown).any(|r| r.test == "sb-fenced"));
    }
}
