//! Explores everything and writes it down.
//!
//! `record` does both files, `record models` or `record orderings` one of them; a further word prints
//! the rows of what it is part of, with their seconds, and writes nothing.

use super::audit;
use super::audit::row::Row as Weakened;
use super::child;
use super::kit::{Kit, fail};
use super::table::{self, Row};
use std::io;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

/// What each case did.
pub(super) const MODELS: &str = "models.csv";
/// What became of each weakening.
pub(super) const ORDERINGS: &str = "orderings.csv";

pub(super) fn main(kit: &Kit, what: &[&str]) -> ExitCode {
    let (models, orderings, only) = match *what {
        [] => (true, true, None),
        ["models", ref only @ ..] => (true, false, only.first()),
        ["orderings", ref only @ ..] => (false, true, only.first()),
        _ => return fail("usage: record [models | orderings] [TEXT]"),
    };
    let mut surprises = 0;
    for (wanted, record) in [(models, models_of as Recorder), (orderings, orderings_of)] {
        if !wanted {
            continue;
        }
        match record(kit, only.copied()) {
            Ok(more) => surprises += more,
            Err(error) => return fail(&error.to_string()),
        }
    }
    println!("{surprises} surprises");
    if surprises == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

type Recorder = fn(&Kit, Option<&str>) -> io::Result<usize>;

fn models_of(kit: &Kit, only: Option<&str>) -> io::Result<usize> {
    let mut cases = kit.cases();
    cases.retain(|case| only.is_none_or(|text| case.key().contains(text)));
    let surprises = AtomicUsize::new(0);
    let rows = in_parallel(&cases, |case| {
        let begin = Instant::now();
        let outcome = child::run(&["case", &case.key()])?.outcome;
        let row = Row::new(case, &outcome);
        say(begin, &row);
        if !case.expected.is_met_by(&outcome) {
            surprises.fetch_add(1, Relaxed);
            println!("           surprise: {:?} was expected", case.expected);
        }
        Ok(row)
    })?;
    keep(kit, MODELS, &rows, only)?;
    Ok(surprises.into_inner())
}

fn orderings_of(kit: &Kit, only: Option<&str>) -> io::Result<usize> {
    let mut all = Vec::new();
    for subject in kit.subjects.iter().filter(|subject| subject.claims.holds) {
        let weakenings = audit::weakenings(subject)?;
        all.extend(weakenings.into_iter().map(|weakening| (subject, weakening)));
    }
    all.retain(|(subject, weakening)| {
        only.is_none_or(|text| format!("{}/{weakening}", subject.name).contains(text))
    });
    let rows = in_parallel(&all, |(subject, weakening)| {
        let begin = Instant::now();
        let row = audit::judge(subject, weakening, None)?;
        say(begin, &row);
        Ok(row)
    })?;
    keep(kit, ORDERINGS, &rows, only)?;
    let unsettled = |row: &&Weakened| !row.is_settled();
    Ok(rows.iter().filter(unsettled).count())
}

fn keep<R: serde::Serialize>(
    kit: &Kit,
    file: &str,
    rows: &[R],
    only: Option<&str>,
) -> io::Result<()> {
    match (&kit.results, only) {
        (Some(results), None) => table::write(&results.join(file), rows),
        _ => Ok(()),
    }
}

/// One line on a terminal or in a pipe: its seconds, and the row as the file has it.
fn say<R: serde::Serialize>(begin: Instant, row: &R) {
    let mut csv = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(Vec::new());
    let line = csv.serialize(row).ok().and_then(|()| csv.into_inner().ok());
    let line = String::from_utf8(line.unwrap_or_default()).unwrap_or_default();
    print!("{:7.2} s  {line}", begin.elapsed().as_secs_f64());
}

/// As many at a time as there are CPUs; the results in the order of the items.
fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> io::Result<R> + Sync,
) -> io::Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let worker = || -> io::Result<()> {
        loop {
            let index = next.fetch_add(1, Relaxed);
            let Some(item) = items.get(index) else {
                return Ok(());
            };
            let row = work(item)?;
            done.lock().expect("no worker panics").push((index, row));
        }
    };
    let workers = thread::available_parallelism()?.get();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .try_for_each(|w| w.join().expect("no worker panics"))
    })?;
    let mut done = done.into_inner().expect("no worker panics");
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, row)| row).collect())
}
