//! Litmus tests, run: does this machine reorder what it may, and do a backend's fences stop it?
//!
//! | test | threads | the outcome in question |
//! |---|---|---|
//! | `sb-*` | `x = 1; fence; y` and `y = 1; fence; x` | both read 0 |
//! | `mp` | `x = 1; y = 1` and `y; x` | `y` is 1, `x` is 0 |
//! | `iriw` | `x = 1`, `y = 1`, `x; y` and `y; x` | the readers saw the two stores in opposite orders |
//!
//! A fence that stops an outcome shows only where the outcome is seen without it. So `sb-unfenced`,
//! which has no fence, comes first: where it is not seen, every `sb` test that is to see nothing
//! *cannot show* anything, and says so. With one CPU that is the usual verdict.
//!
//! `mp` and `iriw` have no such control on x86, which never reorders so: there they test the compiler
//! and the harness. And the time that `membarrier` takes (microseconds) hides most of what it
//! prevents; `sb-light-pause`, which only passes time there, says how much.

use super::broken::{Fence, HeavyFence, NativeWithout};
use super::plan::dwell;
use super::programs::{message, readers, store_buffer};
use crate::backend::{Backend, Native};
use crate::platform::pinning;
use std::any::type_name;
use std::fmt;
use std::sync::atomic::Ordering::SeqCst;

/// Rounds of a test whose fences cost nanoseconds.
const ROUNDS: u64 = 400_000;
/// Rounds of a test with a heavy fence, which costs microseconds.
const HEAVY_ROUNDS: u64 = 50_000;
/// Turns of an empty loop that take about as long as `membarrier`.
const PAUSE: u32 = 20_000;

/// What is expected of an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It happens.
    Seen,
    /// It never does.
    Never,
    /// Either: the row informs.
    Any,
}

/// What a test shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As expected.
    Pass,
    /// Not as expected.
    Fail,
    /// Nothing was seen, but nothing would have been without the fences either.
    CannotShow,
}

/// One test on one backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The test.
    pub test: &'static str,
    /// The backend's type, without its path.
    pub backend: String,
    /// Rounds.
    pub iterations: u64,
    /// Rounds that had the outcome in question.
    pub both_zero: u64,
    /// What was expected of it.
    pub expected: Expected,
    /// What that shows.
    pub verdict: Verdict,
}

/// Every litmus test: on the machine, and on the machine with fences taken away. Takes seconds.
pub fn all(seed: u64) -> Vec<Row> {
    let mut rows = of::<Native>(seed);
    let control = rows[0].both_zero > 0;
    let mut broken = |test, backend, count| {
        rows.push(row(test, backend, ROUNDS, count, Expected::Seen, control));
    };
    type NoFence = NativeWithout<Fence>;
    type NoHeavy = NativeWithout<HeavyFence>;
    let fence = || NoFence::fence(SeqCst);
    let count = store_buffer::<NoFence>(ROUNDS, seed, &fence, &fence);
    broken("sb-fenced", name::<NoFence>(), count);
    let count = store_buffer::<NoHeavy>(ROUNDS, seed, &NoHeavy::light_fence, &NoHeavy::heavy_fence);
    broken("sb-asymmetric", name::<NoHeavy>(), count);
    rows
}

/// The tests of what a backend of real threads promises; the first row is their control.
pub fn of<B: Backend>(seed: u64) -> Vec<Row> {
    let sb = |rounds, left: &(dyn Fn() + Sync), right: &(dyn Fn() + Sync)| {
        store_buffer::<B>(rounds, seed, left, right)
    };
    let none = &(|| ()) as &(dyn Fn() + Sync);
    let fence = &(|| B::fence(SeqCst)) as &(dyn Fn() + Sync);
    let unfenced = sb(ROUNDS, none, none);
    let control = unfenced > 0;
    let mut rows = Vec::new();
    let mut add = |test, rounds, count, expected, control| {
        rows.push(row(test, name::<B>(), rounds, count, expected, control));
    };
    add("sb-unfenced", ROUNDS, unfenced, Expected::Seen, control);
    let fenced = sb(ROUNDS, fence, fence);
    add("sb-fenced", ROUNDS, fenced, Expected::Never, control);
    if B::asymmetric() {
        let light = sb(ROUNDS, &B::light_fence, &B::light_fence);
        add("sb-light-both", ROUNDS, light, Expected::Seen, control);
        let heavy = sb(HEAVY_ROUNDS, &B::light_fence, &B::heavy_fence);
        add(
            "sb-asymmetric",
            HEAVY_ROUNDS,
            heavy,
            Expected::Never,
            control,
        );
        let pause = sb(HEAVY_ROUNDS, &B::light_fence, &|| dwell(PAUSE));
        add(
            "sb-light-pause",
            HEAVY_ROUNDS,
            pause,
            Expected::Any,
            control,
        );
    }
    let cpus = pinning::allowed().len();
    add(
        "mp",
        ROUNDS,
        message::<B>(ROUNDS, seed),
        Expected::Never,
        cpus >= 2,
    );
    // Four threads on fewer CPUs are hardly ever at it together.
    if cpus >= 4 {
        add(
            "iriw",
            ROUNDS,
            readers::<B>(ROUNDS, seed),
            Expected::Never,
            true,
        );
    } else {
        add("iriw", 0, 0, Expected::Never, false);
    }
    rows
}

/// `control`: whether the outcome is known to be seen here where nothing prevents it.
fn row(
    test: &'static str,
    backend: String,
    iterations: u64,
    both_zero: u64,
    expected: Expected,
    control: bool,
) -> Row {
    let seen = both_zero > 0;
    let verdict = match expected {
        Expected::Any => Verdict::Pass,
        Expected::Seen if seen => Verdict::Pass,
        Expected::Never if seen => Verdict::Fail,
        Expected::Never if control => Verdict::Pass,
        // With one CPU there is nobody to be overtaken by; with two, this machine should show it.
        Expected::Seen if control || pinning::allowed().len() >= 2 => Verdict::Fail,
        _ => Verdict::CannotShow,
    };
    Row {
        test,
        backend,
        iterations,
        both_zero,
        expected,
        verdict,
    }
}

/// A type's name without paths.
fn name<B>() -> String {
    let words = type_name::<B>().split_inclusive(['<', ',', '>']);
    words.map(|w| w.rsplit("::").next().unwrap_or(w)).collect()
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Seen => "seen",
            Self::Never => "never",
            Self::Any => "any",
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::CannotShow => "cannot show",
        })
    }
}
