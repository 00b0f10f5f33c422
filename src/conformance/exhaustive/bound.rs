//! How far a case is explored, unless somebody has seen it end and says so.
//!
//! Two threads end for most schemes within seconds to minutes, three never do. So each is bounded by
//! the preemptions of one execution. Every fault planted in a twin is found within these.

/// What two threads get: a lock with a turnstile has millions of executions.
pub const TWO_THREADS: usize = 4;
/// What three threads get.
pub const THREE_THREADS: usize = 2;
/// What more get.
pub const MORE_THREADS: usize = 1;

/// Says how far: a scheme, a model and a number of threads, suspenders included, give a bound on
/// preemptions, or `None` to explore completely.
pub type Bound = fn(&str, &str, usize) -> Option<usize>;

/// The bound of a scheme that nobody knows.
pub fn usual(_: &str, _: &str, threads: usize) -> Option<usize> {
    Some(match threads {
        ..=2 => TWO_THREADS,
        3 => THREE_THREADS,
        _ => MORE_THREADS,
    })
}
