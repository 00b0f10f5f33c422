//! Runs cases, in a process that does nothing else.
//!
//! When loom finds a deadlock it panics, and unwinding then drops its own guards, which panics
//! again: the process aborts. So the first panic is reported from the panic hook, before anything
//! unwinds, and ends the process; the parent reads the report from its output.
//!
//! loom reads limits from the environment, and ends a model *as a success* when it reaches two of
//! them. Every limit is set here, those two to none.

use super::site;
use super::word;
use crate::conformance::case::Case;
use crate::conformance::child::Report;
use crate::conformance::verdict::{Failure, Outcome};
use loom::model::Builder;
use std::panic::{self, PanicHookInfo};
use std::process::exit;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Operations in one execution; the longest model needs about 2,000. Reaching it is a failure.
const MAX_BRANCHES: usize = 6_000;

/// Executions of the current case, begun.
static EXECUTIONS: AtomicUsize = AtomicUsize::new(0);
/// Its key, and its bound.
static CURRENT: Mutex<[String; 2]> = Mutex::new([String::new(), String::new()]);

/// Explores the cases one after the other, until one fails; prints a [`Report`] and ends the process.
pub fn first_failure(cases: &[Case]) -> ! {
    panic::set_hook(Box::new(on_panic));
    for case in cases {
        *CURRENT.lock().expect("no panic returns") = [case.key(), case.bound_text()];
        EXECUTIONS.store(0, Relaxed);
        explore(case);
    }
    end(None)
}

/// Explores one case; every failure panics.
fn explore(case: &Case) {
    let mut doomed = usize::from(case.spurious);
    loop {
        word::doom(doomed);
        check(case);
        if word::most_weak_exchanges() < doomed || doomed == 0 {
            return;
        }
        doomed += 1;
    }
}

fn check(case: &Case) {
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
        word::begin_execution();
        body(readers);
    });
}

/// A panic, unless it is loom's way of ending one of its threads.
fn on_panic(info: &PanicHookInfo<'_>) {
    let file = info.location().map_or("", |location| location.file());
    if info.payload_as_str().is_none() && file.contains("generator-") {
        return;
    }
    let message = info.payload_as_str().unwrap_or("");
    end(Some(Failure::of_panic(message, file)))
}

fn end(failure: Option<Failure>) -> ! {
    let [case, bound] = CURRENT
        .try_lock()
        .map(|now| now.clone())
        .unwrap_or_default();
    let report = Report {
        case,
        bound,
        outcome: Outcome {
            executions: EXECUTIONS.load(Relaxed),
            failure,
        },
        sites: site::reached(),
    };
    print!("{report}");
    exit(0)
}
