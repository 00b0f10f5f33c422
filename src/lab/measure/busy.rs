//! A hold that lasts: work within it, of a known length, the same for who is protected and who is not.
//!
//! Each hold has a chain of its own: it starts from the MFN just translated, each step takes the result of
//! the last, and the end is given away within the hold. So neither the compiler nor the CPU can
//! shorten it, begin it before the translation, or move it out of the hold.
//!
//! No chain waits for the chain of the hold before, which would be the one long chain that a
//! CPU hides every lock beside. What holds back the next hold is the lock alone: without one, the CPU works
//! at several short chains at once, as far as its window reaches; a lock that waits for the work before it goes
//! on (a fence, a locked instruction) puts an end to that. Both are what the lock costs a program with
//! such work. So an operation without protection takes less than the chain's length where chains
//! overlap; how long a step takes, with nothing beside it, is measured once a process.

use super::site::Site;
use super::workload::{FAILED, GOLDEN, SHIFT};
use std::hint::black_box;
use std::sync::OnceLock;
use std::time::Instant;

/// Nanoseconds a step.
static STEP: OnceLock<f64> = OnceLock::new();

/// Steps that take so many nanoseconds, at least one.
pub fn steps(nanos: u32) -> u64 {
    let step = *STEP.get_or_init(measured);
    ((f64::from(nanos) / step).round() as u64).max(1)
}

/// The least of several tries, since everything that disturbs one makes it longer.
fn measured() -> f64 {
    const STEPS: u64 = 20_000;
    let tries = (0..25).map(|x| {
        let start = Instant::now();
        black_box(grind(black_box(x), black_box(STEPS)));
        start.elapsed().as_nanos() as f64 / STEPS as f64
    });
    tries.fold(f64::INFINITY, f64::min).max(0.01)
}

#[inline]
fn grind(mut x: u64, steps: u64) -> u64 {
    for _ in 0..steps {
        x = (x ^ (x >> 29)).wrapping_mul(GOLDEN);
    }
    x
}

/// Hold, translate, work on what was translated, let go.
#[inline(never)]
pub fn hold(site: &impl Site, steps: u64, n: u64) -> u64 {
    let (mut x, mut sum) = (0u64, 0u64);
    for _ in 0..n {
        x = x.wrapping_add(GOLDEN);
        let worked = site.with(x >> SHIFT, |mfn| {
            mfn.map(|mfn| black_box(grind(mfn, steps)))
        });
        match worked {
            Some(worked) => sum = sum.wrapping_add(worked),
            None => return FAILED,
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Native;
    use crate::lab::measure::p2m::{P2m, translate};
    use crate::lab::measure::site::TableSite;
    use crate::scheme::{Scheme, unprotected::Unprotected};

    #[test]
    fn more_nanoseconds_are_more_steps() {
        assert!(steps(10) >= 1);
        assert!(steps(1_000) > 50 * steps(10) / 2);
    }

    /// What a hold works on is its own translation: the sum of holds is the sum of their chains.
    #[test]
    fn a_chain_starts_from_its_own_translation() {
        let table = P2m::cycle(1);
        let reader = Scheme::<Native>::reader(&Unprotected).expect("it is never full");
        let site = TableSite::new(reader, &table);
        let pfns = (1..=3u64).map(|turn| GOLDEN.wrapping_mul(turn) >> SHIFT);
        let mfns = pfns.map(|pfn| translate(table.words(), pfn).expect("every entry is valid"));
        let sum = mfns.fold(0u64, |sum, mfn| sum.wrapping_add(grind(mfn, 5)));
        assert_eq!(hold(&site, 5, 3), sum);
        assert_ne!(hold(&site, 6, 3), sum);
    }

    #[test]
    fn every_step_matters() {
        assert_ne!(grind(3, 7), grind(3, 8));
        assert_ne!(grind(3, 7), grind(4, 7));
    }
}
