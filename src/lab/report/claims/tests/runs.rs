//! Each claim, for and against: what else runs a scheme says, and what that means for libraries and
//! controls.

use super::*;
use crate::lab::report::verdicts::progress::tests::rows as progress;
use crate::lab::report::verdicts::schedules::tests::row as schedules;
use crate::lab::report::verdicts::snapshots::tests::row as snapshot;
use crate::lab::report::verdicts::stress::tests::row as stress;

#[test]
fn the_wait_is_bounded_as_progress_says() {
    let of = |scheme: &str, asking, holds| Verdicts {
        progress: Some(progress(scheme, asking, holds)),
        ..Verdicts::default()
    };
    let column = "bounded wait";
    let far = "checked: 1 directed schedules, 200 fair ones within 20000 steps";
    assert_eq!(stands(column, "percpu", &of("percpu", PASS, PASS)), far);
    let asking = "CONTRADICTED by a hold after asking";
    assert_eq!(
        stands(column, "percpu", &of("percpu", SURPRISE, PASS)),
        asking
    );
    let endless = "CONTRADICTED by endless holds";
    assert_eq!(
        stands(column, "percpu", &of("percpu", PASS, SURPRISE)),
        endless
    );
    let solaris = of("solaris", CAUGHT, PASS);
    let why = "no, counterexample: a hold after asking";
    assert_eq!(stands(column, "solaris", &solaris), why);
    let unexpected = of("solaris", ["pass", "fail"], PASS);
    assert_eq!(stands(column, "solaris", &unexpected), asking);
    assert_eq!(stands(column, "epoch", &solaris), "declared, not checked");
}

#[test]
fn the_writes_of_a_snapshot_are_counted() {
    let of = |scheme: &str, stores, rmws| Verdicts {
        snapshots: Some(vec![snapshot(scheme, 0, 0), snapshot(scheme, stores, rmws)]),
        ..Verdicts::default()
    };
    let column = "snapshot free of writes";
    let far = "checked: 0 writes in 2 snapshots";
    assert_eq!(stands(column, "seqlock", &of("seqlock", 0, 0)), far);
    let wrong = "CONTRADICTED by 1 writes counted";
    assert_eq!(stands(column, "seqlock", &of("seqlock", 0, 1)), wrong);
    let why = "no, counterexample: 3 writes counted";
    assert_eq!(stands(column, "percpu", &of("percpu", 2, 1)), why);
    let declared = "declared, not checked";
    assert_eq!(
        stands(column, "seqlock_crate", &of("seqlock", 0, 0)),
        declared
    );
}

#[test]
fn whatever_runs_a_scheme_can_contradict_that_it_holds() {
    let mut verdicts = models(all_of("holds", "percpu", None, PASS));
    verdicts.schedules = Some(vec![schedules("percpu", PASS)]);
    verdicts.stress = Some(vec![stress("percpu", ["unproved", "pass"])]);
    assert!(stands("holds", "percpu", &verdicts).starts_with("checked: "));
    assert!(!holds_no_more(&named("percpu"), &verdicts));
    verdicts.schedules = Some(vec![schedules("percpu", SURPRISE)]);
    let wrong = "CONTRADICTED by random schedules";
    assert_eq!(stands("holds", "percpu", &verdicts), wrong);
    verdicts.stress = Some(vec![stress("percpu", SURPRISE)]);
    let wrong = "CONTRADICTED by random schedules, stress";
    assert_eq!(stands("holds", "percpu", &verdicts), wrong);
    assert!(holds_no_more(&named("percpu"), &verdicts));
}

#[test]
fn a_library_is_stressed_and_not_checked() {
    let with = |verdict| Verdicts {
        stress: Some(vec![stress("std_rwlock", verdict)]),
        ..models(all_of("holds", "percpu", None, PASS))
    };
    let stressed = "declared, not checked; stressed natively: pass";
    assert_eq!(stands("holds", "std_rwlock", &with(PASS)), stressed);
    let unproved = "declared, not checked; stressed natively: unproved";
    assert_eq!(
        stands("holds", "std_rwlock", &with(["unproved", "pass"])),
        unproved
    );
    let wrong = "CONTRADICTED by stress";
    assert_eq!(stands("holds", "std_rwlock", &with(SURPRISE)), wrong);
}

#[test]
fn a_control_is_caught_and_the_checks_are_named() {
    let mut verdicts = models(vec![
        case("unprotected", "exclusion", None, CAUGHT),
        case("unprotected", "cancelled", None, PASS),
    ]);
    verdicts.schedules = Some(vec![schedules("unprotected", CAUGHT)]);
    verdicts.stress = Some(vec![stress("unprotected", CAUGHT)]);
    let caught = "no, caught by exclusion, random schedules, stress";
    assert_eq!(stands("holds", "unprotected", &verdicts), caught);
    verdicts.stress = Some(vec![stress("unprotected", ["pass", "fail"])]);
    let but = "no, caught by exclusion, random schedules, but not as expected by stress";
    assert_eq!(stands("holds", "unprotected", &verdicts), but);
    let uncaught = "no, BUT NOTHING CAUGHT IT";
    assert_eq!(stands("holds", "stop_cpus", &verdicts), uncaught);
}

#[test]
fn what_else_a_control_says_is_moot_unless_it_means_something() {
    let fails = models(vec![case("unprotected", "nested", None, CAUGHT)]);
    assert_eq!(stands("nests", "unprotected", &fails), "-");
    let alone = |scheme, verdict| models(all_of("suspends alone", scheme, None, verdict));
    let far = "checked: 2 threads completely";
    let column = "suspends alone";
    assert_eq!(stands(column, "stop_cpus", &alone("stop_cpus", PASS)), far);
    let why = "no, counterexample: rivals";
    assert_eq!(
        stands(column, "unprotected", &alone("unprotected", CAUGHT)),
        why
    );
}

#[test]
fn who_needs_quiescent_points_is_shown_to() {
    let column = "no quiescent points";
    let none = Verdicts::default();
    assert_eq!(stands(column, "qsbr", &none), "no");
    assert_eq!(stands(column, "percpu", &none), "declared, not checked");
    let hangs = models(vec![case("qsbr", "forgets", None, CAUGHT)]);
    let why = "no, counterexample: forgets";
    assert_eq!(stands(column, "qsbr", &hangs), why);
    let passes = models(vec![case("percpu", "forgets", None, PASS)]);
    let far = "checked: 2 threads completely";
    assert_eq!(stands(column, "percpu", &passes), far);
}

#[test]
fn every_scheme_has_a_line_and_the_other_machines_a_note() {
    let registered = registered();
    let bare = grid(&registered, &Verdicts::default());
    assert_eq!(bare.rows.len(), registered.len());
    assert!(bare.notes.is_empty());
    let cases = vec![
        case("percpu-stale-failures", "exclusion", Some(2), PASS),
        case("rwlock-stale-failures", "nested", Some(2), CAUGHT),
        case("percpu-without-fence", "exclusion", Some(5), CAUGHT),
    ];
    let notes = grid(&registered, &models(cases)).notes;
    let note = "On a machine whose failing compare-exchanges return old values: 2 cases \
        (2 threads to bound 2), 0 not as expected.";
    assert_eq!(notes, [note]);
}
