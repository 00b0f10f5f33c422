//! Where a measured loop lies in its cache line, which decides about as much of its time as many a lock does.
//!
//! A loop of twenty instructions spans one line or two, and the CPU fetches them as they lie: the same
//! instructions take one time at one multiple of 16 bytes and another at the next (run.json keeps each
//! place's), and which one a compiler puts a loop at is chance. That is not the lock's affair. So each of the
//! shortest loops exists [`PLACES`] times, 16 bytes apart, and a worker takes the copy that is fastest for it,
//! whether it is of a contender or of the baseline.
//!
//! The effect is described by Mytkowicz, Diwan, Hauswirth and Sweeney, "Producing wrong data without doing
//! anything obviously wrong!" (ASPLOS 2009).

#![allow(unsafe_code)]

use std::time::{Duration, Instant};

/// Copies of a loop: a line's multiples of 16 bytes.
pub const PLACES: usize = 4;
/// Operations of one try.
const TRY: u64 = 10_000;
/// Tries of each place; the best counts, since whatever disturbs one makes it longer.
const TRIES: usize = 9;

/// Puts what follows, up to the next loop, `PLACE` times 16 bytes behind the beginning of a line.
///
/// Costs some no-ops, once; nothing where the machine is not x86-64.
#[inline(always)]
pub fn shift<const PLACE: usize>() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: it aligns and fills with no-ops, and touches no register, flag, stack or memory.
    unsafe {
        std::arch::asm!(
            ".p2align 6",
            ".skip {bytes}, 0x90",
            bytes = const PLACE * 16,
            options(nomem, nostack, preserves_flags)
        );
    }
}

/// The place at which `work`, told a place and a number of operations, is fastest.
pub fn fastest(mut work: impl FnMut(usize, u64)) -> usize {
    let mut best = [Duration::MAX; PLACES];
    for _ in 0..TRIES {
        for (place, best) in best.iter_mut().enumerate() {
            let start = Instant::now();
            work(place, TRY);
            *best = start.elapsed().min(*best);
        }
    }
    (0..PLACES).min_by_key(|&place| best[place]).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn the_fastest_place_is_found() {
        for fast in 0..PLACES {
            let found = fastest(|place, _| {
                if place != fast {
                    thread::sleep(Duration::from_micros(200));
                }
            });
            assert_eq!(found, fast);
        }
    }
}
