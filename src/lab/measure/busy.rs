//! A hold that lasts: work within it, of a known length, the same for who is protected and who is not.
//!
//! Each step takes the result of the last, and of the translation, so that neither the compiler nor the
//! CPU can shorten the chain; the result is given away within the hold, so that it cannot move out.
//! How long a step takes is measured once a process.

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

/// Hold, translate, work, let go.
#[inline(never)]
pub fn hold(site: &impl Site, steps: u64, n: u64) -> u64 {
    let (mut x, mut sum) = (0u64, 0u64);
    for _ in 0..n {
        x = x.wrapping_add(GOLDEN);
        let worked = site.with(x >> SHIFT, |mfn| {
            mfn.map(|mfn| black_box(grind(sum ^ mfn, steps)))
        });
        match worked {
            Some(worked) => sum = worked,
            None => return FAILED,
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_nanoseconds_are_more_steps() {
        assert!(steps(10) >= 1);
        assert!(steps(1_000) > 50 * steps(10) / 2);
    }

    #[test]
    fn every_step_matters() {
        assert_ne!(grind(3, 7), grind(3, 8));
        assert_ne!(grind(3, 7), grind(4, 7));
    }
}
