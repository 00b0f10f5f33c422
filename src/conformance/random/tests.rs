//! What is sound passes, what is not is found, and what was found is found again.
//! (The kit's program checks every scheme.)

use super::check::{explore, failure};
use super::planted::{
    DrainsNobody, EndsAtOnce, LateRegistrant, NeverOpens, OldMark, Panics, Plant, Planted, Spins,
    Whole,
};
use super::{Asymmetric, NoSchedule, Picks, Plan, Random, World, check, replay};
use crate::conformance::verdict::Kind;
use shuttle::scheduler::ReplayScheduler;

const PCT: Picks = Picks::Pct { depth: 4 };

fn plan(picks: Picks, schedules: usize) -> Plan {
    Plan {
        world: World::USUAL,
        picks,
        seed: 1,
        schedules,
    }
}

/// A planted fault must be found within so many schedules, under either scheduler, and again.
fn is_found<P: Plant>(random: usize, pct: usize) {
    for (picks, schedules) in [(Picks::Random, random), (PCT, pct)] {
        let found = check::<Asymmetric, Planted<Random, P>>(&plan(picks, schedules));
        let failure = found.outcome.failure.expect("it is found");
        println!(
            "{picks}: {failure}, after {} schedules",
            found.outcome.executions
        );
        let again = replay::<Asymmetric, Planted<Random, P>>(
            World::USUAL,
            &found.schedule.expect("a failure has a schedule"),
        );
        assert_eq!(again, Ok(Some(failure)));
    }
}

#[test]
fn a_plant_without_a_fault_passes() {
    for picks in [Picks::Random, PCT] {
        let checked = check::<Asymmetric, Planted<Random, Whole>>(&plan(picks, 200));
        assert_eq!(checked.outcome.failure, None);
        assert_eq!(checked.outcome.executions, 200);
    }
}

#[test]
fn a_suspender_that_drains_nobody_is_found() {
    is_found::<DrainsNobody>(10, 10);
}

#[test]
fn a_scan_below_an_old_mark_is_found() {
    is_found::<OldMark>(2000, 6000);
}

#[test]
fn a_late_registrant_is_found() {
    is_found::<LateRegistrant>(2000, 2000);
}

#[test]
fn a_hold_that_ends_before_the_use_is_found() {
    is_found::<EndsAtOnce>(10, 10);
}

#[test]
fn what_is_no_schedule_is_an_error() {
    let of_another_world = "91010a05aa02";
    // One that claims to have 2^62 choices.
    let endless = "9101808080808080808040010203";
    for text in ["", "9", "hello", "91", "9103", endless, of_another_world] {
        let replayed = replay::<Asymmetric, Planted<Random, Whole>>(World::USUAL, text);
        assert_eq!(replayed, Err(NoSchedule), "{text}");
    }
}

/// What shuttle tells by a panic is a verdict, and can be run again.
fn is_told<P: Plant>(kind: Kind, message: &str) {
    let told = check::<Asymmetric, Planted<Random, P>>(&plan(Picks::Random, 100));
    let failure = told.outcome.failure.expect("a failure");
    assert_eq!((failure.kind, failure.message.as_str()), (kind, message));
    let schedule = told.schedule.expect("a failure has a schedule");
    let again = replay::<Asymmetric, Planted<Random, P>>(World::USUAL, &schedule);
    assert_eq!(again, Ok(Some(failure)));
}

#[test]
fn a_deadlock_is_a_verdict() {
    is_told::<NeverOpens>(Kind::Deadlock, "every thread waits for ever");
}

#[test]
fn a_panic_is_a_verdict() {
    is_told::<Panics>(Kind::Assertion, "a scheme's own assertion");
}

#[test]
fn a_schedule_without_end_is_no_verdict_of_the_scheme() {
    is_told::<Spins>(Kind::Truncated, "maximum number of steps");
}

#[test]
fn shuttle_itself_reads_a_schedule() {
    type Fault = Planted<Random, DrainsNobody>;
    let found = check::<Asymmetric, Fault>(&plan(Picks::Random, 10));
    let schedule = found.schedule.expect("a failure has a schedule");
    let shuttles = ReplayScheduler::new_from_encoded(&schedule);
    let (ran, again) = explore::<Asymmetric, Fault>(shuttles, World::USUAL);
    assert_eq!(ran.last, schedule);
    assert_eq!(failure(&ran, again), found.outcome.failure);
}
