//! How far each case is explored.
//!
//! Two threads are explored completely where that takes seconds, three never do. The others are
//! bounded by the preemptions of one execution: [`TWO_THREADS`] or [`THREE_THREADS`], or less where
//! that takes more than half a minute, or too much of the suite's time. (Every fault planted in a twin is found within these.)
//!
//! A new scheme is bounded until somebody has seen its models end, and named it here.

use ptom::conformance::exhaustive::bound;

/// What two threads get: a lock with a turnstile has millions of executions.
const TWO_THREADS: usize = 5;
/// What three threads get.
const THREE_THREADS: usize = 3;
/// A machine without the asymmetric pair.
const SYMMETRIC: &str = "-symmetric";

/// Explored completely with two threads.
const COMPLETE: &[&str] = &[
    "unprotected",
    "seqlock",
    "percpu",
    "percpu_asym",
    "epoch",
    "gate",
    "gate-slot-cleared-late",
];

/// Bounds that are not the usual: scheme (or any), model, threads, bound.
const OTHER: &[(&str, &str, usize, usize)] = &[
    ("gate", "twice", 2, 3),
    ("epoch", "departs", 2, 4),
    ("", "twice", 2, 4),
    ("percpu", "departs", 3, 2),
    ("percpu_asym", "departs", 3, 2),
    ("epoch", "departs", 3, 2),
    ("epoch", "rivals", 3, 2),
    ("rwlock", "departs", 3, 2),
    ("solaris", "departs", 3, 2),
    ("solaris", "rivals", 3, 2),
    ("solaris", "queued", 3, 2),
    ("rwlock", "queued", 3, 2),
    // Above the usual: a reader has left, another waits, when the last leaves to the suspender.
    ("rwlock", "arrives", 4, 2),
    ("solaris", "arrives", 4, 2),
];

/// The bound for a number of threads, suspenders included.
pub(crate) fn of(scheme: &str, model: &str, threads: usize) -> Option<usize> {
    let named = |row: &&(&str, &str, usize, usize)| {
        (row.0.is_empty() || row.0 == scheme) && (row.1, row.2) == (model, threads)
    };
    let other = OTHER.iter().find(named);
    match threads {
        _ if other.is_some() => other.map(|row| row.3),
        ..=2 if COMPLETE.contains(&scheme) => None,
        // The same code as the scheme's, with a longer way in.
        _ if scheme.ends_with(SYMMETRIC) => Some(bound::usual(scheme, model, threads)?.min(3)),
        ..=2 => Some(TWO_THREADS),
        3 => Some(THREE_THREADS),
        _ => bound::usual(scheme, model, threads),
    }
}
