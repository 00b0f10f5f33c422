//! Explores every model and writes `results/models.csv`; fails if one of them surprises.
//!
//! `models` runs all cases, as many at a time as there are CPUs; `models TEXT` prints the rows of
//! those whose key contains the text, with their seconds, and writes nothing; `models --case KEY` is
//! the child that runs one.

use loom_tests::case::Case;
use loom_tests::table::Row;
use loom_tests::{cases, explore, table};
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let all = cases::all();
    match arguments[..] {
        ["--case", key] => match all.iter().find(|case| case.key() == key) {
            Some(case) => explore::here(case),
            None => Err(format!("no case {key}").into()),
        },
        [] => {
            let (rows, surprises) = run(&all)?;
            table::write(&rows)?;
            println!("{} rows, {surprises} surprises", rows.len());
            Ok(exit_code(surprises))
        }
        [text] => {
            let some: Vec<Case> = all
                .into_iter()
                .filter(|case| case.key().contains(text))
                .collect();
            Ok(exit_code(run(&some)?.1))
        }
        _ => Err("usage: models [TEXT]".into()),
    }
}

fn exit_code(surprises: usize) -> ExitCode {
    ExitCode::from(u8::from(surprises > 0))
}

/// Runs cases, each in a child; returns their rows, and how many were not as expected.
fn run(cases: &[Case]) -> Result<(Vec<Row>, usize), Box<dyn Error>> {
    let program = std::env::current_exe()?;
    let next = AtomicUsize::new(0);
    let rows = Mutex::new(vec![Row::new(); cases.len()]);
    let surprises = AtomicUsize::new(0);
    let worker = || -> std::io::Result<()> {
        loop {
            let index = next.fetch_add(1, Relaxed);
            let Some(case) = cases.get(index) else {
                return Ok(());
            };
            let row = run_one(&program, case, &surprises)?;
            rows.lock().unwrap()[index] = row;
        }
    };
    let workers = thread::available_parallelism()?.get();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|w| w.join().unwrap())
    })?;
    Ok((rows.into_inner().unwrap(), surprises.into_inner()))
}

fn run_one(program: &Path, case: &Case, surprises: &AtomicUsize) -> std::io::Result<Row> {
    let begin = Instant::now();
    let outcome = explore::in_child(program, case)?;
    let row = table::row(case, &outcome);
    let seconds = begin.elapsed().as_secs_f64();
    println!("{seconds:7.2} s  {}", row.join(","));
    if !case.expected.is_met_by(&outcome) {
        surprises.fetch_add(1, Relaxed);
        println!("           surprise: {:?} was expected", case.expected);
    }
    Ok(row)
}
