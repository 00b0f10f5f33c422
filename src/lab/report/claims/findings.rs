//! What the checks of one claim found, for one scheme.
//!
//! A scheme's models also run on other machines, under its name and a suffix: without the asymmetric
//! pair, and with compare-exchanges that fail in ways that loom does not show. What is found there
//! counts against the scheme; how far it is checked is told by its own rows.

use super::table::Check;
use crate::lab::report::verdicts::Verdicts;
use crate::lab::report::verdicts::models::{Answer, Case};
use crate::lab::report::verdicts::progress::{Progress, Property};
use crate::lab::summary::Registered;
use std::collections::BTreeMap;

/// Machines that a scheme must hold on as well: the suffix of its name, and what they are.
const MACHINES: [(&str, &str); 3] = [
    ("-symmetric", "without the asymmetric pair of fences"),
    (
        "-stale-failures",
        "whose failing compare-exchanges return old values",
    ),
    (
        "-spurious-failures",
        "whose weak compare-exchanges fail for no reason",
    ),
];

/// For and against a claim.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Checks whose verdict is not the expected one.
    pub(super) surprises: Vec<String>,
    /// Checks that found something against it.
    pub(super) against: Vec<String>,
    /// How far it was checked, if at all.
    pub(super) how_far: Option<String>,
    /// What is known of it that is no check of it.
    pub(super) else_known: String,
}

impl Findings {
    /// What a check found for a scheme.
    pub(super) fn of(check: Check, scheme: &str, verdicts: &Verdicts) -> Self {
        let mut found = match check {
            Check::Models(models) | Check::Everything(models) => {
                by_models(models, scheme, verdicts)
            }
            Check::Progress => by_progress(scheme, verdicts),
            Check::Counting => by_counting(scheme, verdicts),
        };
        if let Check::Everything(_) = check {
            found.add_runs(scheme, verdicts);
        }
        for list in [&mut found.surprises, &mut found.against] {
            list.sort_unstable();
            list.dedup();
        }
        found
    }

    /// Adds what ran the scheme without exploring it.
    fn add_runs(&mut self, scheme: &str, verdicts: &Verdicts) {
        const SCHEDULES: &str = "random schedules";
        const STRESS: &str = "stress";
        let schedules = verdicts.schedules.iter().flatten();
        for row in schedules.filter(|row| row.scheme == scheme) {
            push_if(&mut self.against, !row.passed(), SCHEDULES);
            push_if(&mut self.surprises, row.surprises(), SCHEDULES);
        }
        let stress = verdicts.stress.iter().flatten();
        for row in stress.filter(|row| row.scheme == scheme) {
            push_if(&mut self.against, row.failed(), STRESS);
            // Too little overlap proves nothing, for or against.
            let known = row.failed() || row.expected == "fail";
            push_if(&mut self.surprises, known && row.surprises(), STRESS);
            self.else_known = format!("stressed natively: {}", row.verdict);
        }
    }
}

fn push_if(list: &mut Vec<String>, yes: bool, what: &str) {
    if yes {
        list.push(what.to_owned());
    }
}

fn by_models(models: &[(&str, Option<u32>)], scheme: &str, verdicts: &Verdicts) -> Findings {
    let counts = |case: &Case, &(model, readers): &(&str, Option<u32>)| {
        case.model == model && readers.is_none_or(|readers| readers == case.readers)
    };
    let mut found = Findings::default();
    let mut own: Vec<&Case> = Vec::new();
    for case in verdicts.models.iter().flatten() {
        let Some(machine) = case.scheme.strip_prefix(scheme) else {
            continue;
        };
        let other = MACHINES.iter().any(|(suffix, _)| *suffix == machine);
        if !(machine.is_empty() || other) || !models.iter().any(|model| counts(case, model)) {
            continue;
        }
        let name = format!("{}{machine}", case.model);
        push_if(&mut found.surprises, case.surprises(), &name);
        push_if(&mut found.against, !case.passed(), &name);
        if machine.is_empty() {
            own.push(case);
        }
    }
    let ran = |model: &(&str, Option<u32>)| own.iter().any(|case| counts(case, model));
    if models.first().is_some_and(ran) {
        let missing: Vec<&str> = models.iter().filter(|m| !ran(m)).map(|m| m.0).collect();
        let mut how_far = how_far(&own);
        if !missing.is_empty() {
            how_far.push_str(&format!("; {} not run", missing.join(", ")));
        }
        found.how_far = Some(how_far);
    }
    found
}

/// By number of threads: everything, or the least bound of any case.
fn how_far(cases: &[&Case]) -> String {
    let mut bounds: BTreeMap<u32, Option<u32>> = BTreeMap::new();
    for case in cases {
        let bound = match case.complete {
            Answer::Yes => None,
            Answer::No => Some(case.bound.unwrap_or(0)),
        };
        let least = bounds.entry(case.threads()).or_insert(bound);
        *least = [*least, bound].into_iter().flatten().min();
    }
    let shown = |(threads, bound): (&u32, &Option<u32>)| match bound {
        None => format!("{threads} threads completely"),
        Some(bound) => format!("{threads} threads to bound {bound}"),
    };
    bounds.iter().map(shown).collect::<Vec<_>>().join(", ")
}

fn by_progress(scheme: &str, verdicts: &Verdicts) -> Findings {
    let mut found = Findings::default();
    let rows = verdicts.progress.iter().flatten();
    let of: Vec<&Progress> = rows.filter(|row| row.scheme == scheme).collect();
    let (mut directed, mut seeds, mut bound) = (0, 0, 0);
    for row in of {
        let name = match row.property {
            Property::HoldAfterAsking => {
                directed += row.seeds;
                "a hold after asking"
            }
            Property::SuspenderUnderHolds => {
                seeds += row.seeds;
                bound = bound.max(row.bound.unwrap_or(0));
                "endless holds"
            }
            Property::ReaderAfterResume | Property::BackToBack => continue,
        };
        push_if(&mut found.surprises, row.surprises(), name);
        push_if(&mut found.against, row.failed(), name);
    }
    found.how_far = (directed > 0 && seeds > 0)
        .then(|| format!("{directed} directed schedules, {seeds} fair ones within {bound} steps"));
    found
}

fn by_counting(scheme: &str, verdicts: &Verdicts) -> Findings {
    let rows = verdicts.snapshots.iter().flatten();
    let writes: Vec<u64> = rows
        .filter(|row| row.scheme == scheme)
        .map(|row| row.writes())
        .collect();
    let most = writes.iter().max().copied().unwrap_or(0);
    let mut found = Findings::default();
    push_if(
        &mut found.against,
        most > 0,
        &format!("{most} writes counted"),
    );
    found.how_far =
        (!writes.is_empty()).then(|| format!("{most} writes in {} snapshots", writes.len()));
    found
}

/// What ran on the other machines: one line each.
pub(super) fn machines(registered: &[Registered], verdicts: &Verdicts) -> Vec<String> {
    let line = |(suffix, what): (&str, &str)| {
        let of = |case: &&Case| {
            let mut names = registered.iter().filter(|scheme| scheme.modelled);
            names.any(|scheme| case.scheme.strip_prefix(scheme.name) == Some(suffix))
        };
        let cases: Vec<&Case> = verdicts.models.iter().flatten().filter(of).collect();
        if cases.is_empty() {
            return None;
        }
        let surprises = cases.iter().filter(|case| case.surprises()).count();
        let passed: Vec<&Case> = cases.iter().copied().filter(|case| case.passed()).collect();
        Some(format!(
            "On a machine {what}: {} cases ({}), {surprises} not as expected.",
            cases.len(),
            how_far(&passed)
        ))
    };
    MACHINES.into_iter().filter_map(line).collect()
}
