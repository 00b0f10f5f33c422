//! How far each case is explored.
//!
//! Two threads are explored completely where that takes seconds, three in one model. The others are
//! bounded by the preemptions of one execution: [`TWO_THREADS`] or [`THREE_THREADS`], or less where
//! that takes more than half a minute, or too much of the suite's time. (Every fault planted in a twin is
//! found within these.)
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

/// Scheme (or any), model (or any), threads, bound (or complete).
type Row = (&'static str, &'static str, usize, Option<usize>);

/// Bounds that are not the usual.
const OTHER: &[Row] = &[
    // Complete with two readers: the first holds before the others run, which leaves 100,000 executions
    // at most. (A turnstile, or a seqlock's lock for holds, leaves millions.)
    ("percpu", "arrives", 3, None),
    ("percpu_asym", "arrives", 3, None),
    ("epoch", "arrives", 3, None),
    // A lock and a table, a mode, a way to come online: more steps a hold.
    ("bravo", "twice", 2, Some(3)),
    ("bravo", "departs", 2, Some(4)),
    ("bravo", "departs", 3, Some(1)),
    ("bravo", "freshness", 3, Some(1)),
    ("bravo", "", 3, Some(2)),
    ("bravo", "exclusion", 4, Some(0)),
    ("percpu_rwsem", "", 3, Some(2)),
    ("qsbr", "departs", 3, Some(2)),
    ("qsbr", "rivals", 3, Some(2)),
    ("gate", "twice", 2, Some(3)),
    ("epoch", "departs", 2, Some(4)),
    ("", "twice", 2, Some(4)),
    ("", "tries", 2, Some(4)),
    ("percpu", "departs", 3, Some(2)),
    ("percpu_asym", "departs", 3, Some(2)),
    ("epoch", "departs", 3, Some(2)),
    ("epoch", "rivals", 3, Some(2)),
    ("rwlock", "departs", 3, Some(2)),
    ("solaris", "departs", 3, Some(2)),
    ("solaris", "rivals", 3, Some(2)),
    ("solaris", "queued", 3, Some(2)),
    ("rwlock", "queued", 3, Some(2)),
    // Above the usual: a reader has left, another waits, when the last leaves to the suspender.
    ("rwlock", "arrives", 4, Some(2)),
    ("solaris", "arrives", 4, Some(2)),
];

/// The bound for a number of threads, suspenders included.
pub(crate) fn of(scheme: &str, model: &str, threads: usize) -> Option<usize> {
    let named = |row: &&Row| {
        [scheme, ""].contains(&row.0) && [model, ""].contains(&row.1) && row.2 == threads
    };
    let other = OTHER.iter().find(named);
    match threads {
        _ if other.is_some() => other.and_then(|row| row.3),
        ..=2 if COMPLETE.contains(&scheme) => None,
        // The same code as the scheme's, with a longer way in.
        _ if scheme.ends_with(SYMMETRIC) => Some(bound::usual(scheme, model, threads)?.min(3)),
        ..=2 => Some(TWO_THREADS),
        3 => Some(THREE_THREADS),
        _ => bound::usual(scheme, model, threads),
    }
}
