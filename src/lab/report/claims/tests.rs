//! Each claim, for and against: what models say.

mod runs;

use super::super::verdicts::models::{Case, tests::case};
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
