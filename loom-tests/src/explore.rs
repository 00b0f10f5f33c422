//! Runs a case, in a process of its own.
//!
//! When loom finds a deadlock it panics, and unwinding then drops its own guards, which panics
//! again: the process aborts. So the first panic is reported from the panic hook, before anything
//! unwinds, and ends the process; the parent reads one line from its output.
//!
//! loom reads limits from the environment, and ends a model *as a success* when it reaches two of
//! them. Every limit is set here, those two to none.

use crate::case::Case;
use crate::verdict::{Failure, Kind, Outcome};
use loom::model::Builder;
use std::io;
use std::panic::{self, PanicHookInfo};
use std::path::Path;
use std::process::{Command, exit};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Operations in one execution; the longest model needs about 300. Reaching it is a failure.
const MAX_BRANCHES: usize = 3_000;

/// Executions begun in this process, which runs one case.
static EXECUTIONS: AtomicUsize = AtomicUsize::new(0);

/// Explores a case, prints its outcome in one line, and ends the process.
pub fn here(case: &Case) -> ! {
    panic::set_hook(Box::new(|info| report(Some(failure(info)))));
    let mut limits = Builder::new();
    limits.max_threads = loom::MAX_THREADS;
    limits.max_branches = MAX_BRANCHES;
    limits.max_permutations = None;
    limits.max_duration = None;
    limits.preemption_bound = case.bound;
    limits.checkpoint_file = None;
    limits.checkpoint_interval = usize::MAX;
    limits.expect_explicit_explore = false;
    limits.location = false;
    limits.log = false;
    let (body, readers) = (case.body, case.readers);
    limits.check(move || {
        EXECUTIONS.fetch_add(1, Relaxed);
        body(readers);
    });
    report(None)
}

fn failure(info: &PanicHookInfo<'_>) -> Failure {
    let file = info.location().map_or("", |location| location.file());
    Failure::of_panic(info.payload_as_str().unwrap_or(""), file)
}

fn report(failure: Option<Failure>) -> ! {
    let executions = EXECUTIONS.load(Relaxed);
    match failure {
        None => println!("{executions}\tpass\t"),
        Some(Failure { kind, message }) => println!("{executions}\t{kind:?}\t{message}"),
    }
    exit(0)
}

/// Explores a case in a child: `program` is the `models` binary.
///
/// # Errors
/// If the child cannot be started.
pub fn in_child(program: &Path, case: &Case) -> io::Result<Outcome> {
    let output = Command::new(program)
        .arg("--case")
        .arg(case.key())
        .output()?;
    let line = String::from_utf8_lossy(&output.stdout);
    Ok(
        parse(line.trim_end_matches('\n')).unwrap_or_else(|| Outcome {
            executions: 0,
            failure: Some(Failure {
                kind: Kind::Broken,
                message: format!("the child said {line:?} and ended with {}", output.status),
            }),
        }),
    )
}

fn parse(line: &str) -> Option<Outcome> {
    let mut fields = line.splitn(3, '\t');
    let executions = fields.next()?.parse().ok()?;
    let kind = match fields.next()? {
        "pass" => None,
        "Race" => Some(Kind::Race),
        "Deadlock" => Some(Kind::Deadlock),
        "Assertion" => Some(Kind::Assertion),
        "Truncated" => Some(Kind::Truncated),
        "Broken" => Some(Kind::Broken),
        _ => return None,
    };
    let message = fields.next()?.to_owned();
    let failure = kind.map(|kind| Failure { kind, message });
    Some(Outcome {
        executions,
        failure,
    })
}
