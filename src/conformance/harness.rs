//! The tests: one a model and one a weakening, so that any engine that runs tests can spread the
//! proof over threads, processes or machines.
//!
//! They are made while the program runs, since the models follow from the registry, and the weakenings
//! from what the models reach.

use super::audit;
use super::audit::row::Row as Weakened;
use super::case::Case;
use super::child;
use super::exhaustive::site::Weakening;
use super::kit::{Kit, fail};
use super::record::{MODELS, ORDERINGS};
use super::table::{self, Row};
use libtest_mimic::{Arguments, Failed, Trial};
use serde::de::DeserializeOwned;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;

/// How to make the files agree, once every case does what is expected of it.
const STALE: &str = "the results are stale: record them again";

pub(super) fn main(kit: Kit) -> ExitCode {
    let arguments = Arguments::from_args();
    match trials(kit, &arguments) {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(error) => fail(&error.to_string()),
    }
}

fn trials(kit: Kit, arguments: &Arguments) -> io::Result<Vec<Trial>> {
    let kit = Arc::new(kit);
    let models: Option<Arc<Vec<Row>>> = recorded(&kit, MODELS)?;
    let orderings: Option<Arc<Vec<Weakened>>> = recorded(&kit, ORDERINGS)?;
    let mut trials = Vec::new();
    for case in kit.cases() {
        let models = models.clone();
        let name = format!("model/{}", case.key());
        trials.push(Trial::test(name, move || model(&case, models.as_deref())));
    }
    for (at, subject) in kit
        .subjects
        .iter()
        .enumerate()
        .filter(|(_, s)| s.claims.holds)
    {
        // Who asks for one test by its name need not wait for all sites of all schemes to be found.
        let of_scheme = format!("audit/{}/", subject.name);
        if excludes(arguments, &of_scheme) {
            continue;
        }
        for weakening in audit::weakenings(subject)? {
            let (kit, orderings) = (kit.clone(), orderings.clone());
            let name = format!("{of_scheme}{weakening}");
            trials.push(Trial::test(name, move || {
                ordering(&kit, at, &weakening, orderings.as_deref())
            }));
        }
    }
    if let (Some(models), Some(orderings)) = (models, orderings) {
        let names: Vec<String> = trials.iter().map(|t| t.name().to_owned()).collect();
        let complete = arguments.filter.is_none() && arguments.skip.is_empty();
        trials.push(Trial::test(
            "the_files_have_a_row_of_each_and_no_others",
            move || {
                let mut rows: Vec<String> = models
                    .iter()
                    .map(|row| format!("model/{}", row.key()))
                    .collect();
                rows.extend(orderings.iter().map(|row| format!("audit/{}", row.key())));
                let lacks = names.iter().find(|name| !rows.contains(name));
                let has = rows.iter().find(|row| complete && !names.contains(row));
                match (lacks, has) {
                    (None, None) => Ok(()),
                    _ => Err(
                        format!("no row of {lacks:?}, or a row of nothing: {has:?}; {STALE}")
                            .into(),
                    ),
                }
            },
        ));
    }
    Ok(trials)
}

/// Whether the one test that is asked for is none of these.
fn excludes(arguments: &Arguments, prefix: &str) -> bool {
    let exactly = |wanted: &String| arguments.exact && !wanted.starts_with(prefix);
    arguments.filter.as_ref().is_some_and(exactly)
}

fn recorded<R: DeserializeOwned>(kit: &Kit, file: &str) -> io::Result<Option<Arc<Vec<R>>>> {
    let Some(results) = &kit.results else {
        return Ok(None);
    };
    let path = results.join(file);
    match table::read(&path) {
        Ok(rows) => Ok(Some(Arc::new(rows))),
        // Then every row is missing, and each test says so.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Some(Arc::default())),
        Err(error) => Err(io::Error::other(format!(
            "{}: {error}; {STALE}",
            path.display()
        ))),
    }
}

fn model(case: &Case, recorded: Option<&Vec<Row>>) -> Result<(), Failed> {
    let outcome = child::run(&["case", &case.key()])?.outcome;
    let row = Row::new(case, &outcome);
    if !case.expected.is_met_by(&outcome) {
        return Err(format!("{row:?}, but {:?} was expected", case.expected).into());
    }
    if recorded.is_some_and(|rows| !rows.contains(&row)) {
        return Err(format!("{row:?} is not in {MODELS}; {STALE}").into());
    }
    Ok(())
}

fn ordering(
    kit: &Kit,
    at: usize,
    weakening: &Weakening,
    recorded: Option<&Vec<Weakened>>,
) -> Result<(), Failed> {
    let subject = &kit.subjects[at];
    let key = format!("{}/{weakening}", subject.name);
    let before = recorded.and_then(|rows| rows.iter().find(|row| row.key() == key));
    let row = audit::judge(subject, weakening, before.filter(|row| row.is_killed()))?;
    if !row.is_settled() {
        return Err(format!(
            "{row:?}: strengthen the models, weaken the code, or explain it there"
        )
        .into());
    }
    if recorded.is_some() && before != Some(&row) {
        return Err(format!("{row:?} is not in {ORDERINGS}; {STALE}").into());
    }
    Ok(())
}
