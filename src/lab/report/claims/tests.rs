//! Each claim, for and against.

use super::super::verdicts::models::{Case, tests::case};
use super::super::verdicts::progress::tests::rows as progress;
use super::super::verdicts::schedules::tests::row as schedules;
use super::super::verdicts::snapshots::tests::row as snapshot;
use super::super::verdicts::stress::tests::row as stress;
use super::*;
use crate::lab::summary::registered;

const PASS: [&str; 2] = ["pass", "pass"];
const CAUGHT: [&str; 2] = ["fail", "fail"];
const SURPRISE: [&str; 2] = ["fail", "pass"];

fn named(name: &str) -> Registered {
    registered()
        .into_iter()
        .find(|scheme| scheme.name == name)
        .unwrap()
}

/// How a claim of a scheme stands, as it is printed.
fn stands(column: &str, scheme: &str, verdicts: &Verdicts) -> String {
    let claim = CLAIMS.iter().find(|claim| claim.column == column).unwrap();
    claim.standing(&named(scheme), verdicts).to_string()
}

fn models(cases: Vec<Case>) -> Verdicts {
    Verdicts {
        models: Some(cases),
        ..Verdicts::default()
    }
}

/// All models of one claim, as the scheme's name and all alike.
fn all_of(column: &str, scheme: &str, bound: Option<u32>, verdict: [&str; 2]) -> Vec<Case> {
    let claim = CLAIMS.iter().find(|claim| claim.column == column).unwrap();
    let (Check::Models(models) | Check::Everything(models)) = claim.rests_on else {
        panic!("{column} rests on no models");
    };
    let of = |&(model, readers): &(&str, Option<u32>)| Case {
        readers: readers.unwrap_or(1),
        ..case(scheme, model, bound, verdict)
    };
    models.iter().map(of).collect()
}

/// Columns that rest on models, and a scheme that claims each.
const BY_MODELS: [(&str, &str); 5] = [
    ("holds", "percpu"),
    ("nests", "solaris"),
    ("sleeps in hold", "epoch"),
    ("suspends alone", "rwlock"),
    ("drop ends leaks", "percpu_asym"),
];

#[test]
fn a_claim_is_checked_as_far_as_its_models_went() {
    for (column, scheme) in BY_MODELS {
        let declared = stands(column, scheme, &Verdicts::default());
        assert_eq!(declared, "declared, not checked");
        for (bound, far) in [(None, "completely"), (Some(3), "to bound 3")] {
            let verdicts = models(all_of(column, scheme, bound, PASS));
            let stands = stands(column, scheme, &verdicts);
            assert!(stands.starts_with("checked: "), "{column}: {stands}");
            assert!(stands.contains(far), "{column}: {stands}");
            assert!(!stands.contains("not run"), "{column}: {stands}");
        }
    }
}

/// Every single model of a claim can make it fail, on every machine.
#[test]
fn each_model_of_a_claim_can_contradict_it() {
    for (column, scheme) in BY_MODELS {
        let all = all_of(column, scheme, None, PASS);
        for wrong in 0..all.len() {
            for suffix in ["", "-symmetric", "-stale-failures", "-spurious-failures"] {
                let mut cases = all.clone();
                let mut bad = cases[wrong].clone();
                bad.scheme.push_str(suffix);
                bad.verdict = String::from("fail");
                let by = format!("CONTRADICTED by {}{suffix}", bad.model);
                cases.push(bad);
                assert_eq!(stands(column, scheme, &models(cases)), by);
            }
        }
    }
}

#[test]
fn twins_and_other_schemes_say_nothing() {
    let mut cases = all_of("holds", "percpu", None, PASS);
    cases.push(case("percpu-without-fence", "exclusion", None, CAUGHT));
    cases.push(case("percpu_asym", "exclusion", None, SURPRISE));
    cases.push(case("percpu_asym-symmetric", "exclusion", None, SURPRISE));
    let stands = stands("holds", "percpu", &models(cases));
    assert!(stands.starts_with("checked: "), "{stands}");
}

#[test]
fn the_least_bound_of_each_number_of_threads_is_shown() {
    let mut cases = all_of("holds", "percpu", None, PASS);
    cases.push(case("percpu", "twice", Some(4), PASS));
    for (bound, readers) in [(3, 2), (2, 2), (1, 3)] {
        let more = case("percpu", "exclusion", Some(bound), PASS);
        cases.push(Case { readers, ..more });
    }
    let far = "checked: 2 threads to bound 4, 3 threads to bound 2, 4 threads to bound 1";
    assert_eq!(stands("holds", "percpu", &models(cases)), far);
}

#[test]
fn without_its_main_model_nothing_is_checked_and_others_are_named() {
    let others = vec![case("percpu", "freshness", None, PASS)];
    let declared = "declared, not checked";
    assert_eq!(stands("holds", "percpu", &models(others)), declared);
    let main = vec![case("percpu", "nested", None, PASS)];
    let far = "checked: 2 threads completely; crossed, deep not run";
    assert_eq!(stands("nests", "percpu", &models(main)), far);
    let rivals = vec![case("percpu", "rivals", None, PASS)];
    assert_eq!(
        stands("suspends alone", "percpu", &models(rivals)),
        declared
    );
}

#[test]
fn what_is_not_claimed_has_its_counterexample_or_is_just_no() {
    for (column, scheme, model) in [
        ("nests", "rwlock", "nested"),
        ("drop ends leaks", "solaris", "leaks"),
    ] {
        assert_eq!(stands(column, scheme, &Verdicts::default()), "no");
        let with = |verdict| models(vec![case(scheme, model, None, verdict)]);
        let why = format!("no, counterexample: {model}");
        assert_eq!(stands(column, scheme, &with(CAUGHT)), why);
        let wrong = format!("CONTRADICTED by {model}");
        assert_eq!(stands(column, scheme, &with(["pass", "fail"])), wrong);
        assert_eq!(stands(column, scheme, &with(["broken", "fail"])), wrong);
    }
}

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
    assert_eq!(stands("holds", "stop_cpus", &verdicts), "no");
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
fn no_scheme_needs_quiescence_yet() {
    let column = "needs quiescence";
    for scheme in registered().iter().filter(|scheme| scheme.claims.holds) {
        assert_eq!(stands(column, scheme.name, &Verdicts::default()), "no");
    }
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
