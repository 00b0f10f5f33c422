//! The loops on a table that no near cache holds, 8 MiB: they go on where the last batch stopped.
//!
//! A loop that began anew each time would find its few lines in the cache. So the sum of what was read
//! is another one each time, and the checksum is made of what must be true of it: the entries are one
//! cycle by a rule (`next` in [`p2m`](super::p2m)), so the sum of the entries follows from the sum of the indices, and the
//! end of a chain from its start.

use super::p2m::{FAR_ENTRIES, FAR_FACTOR, FAR_STEP, next};
use super::site::Site;
use super::workload::{FAILED, GOLDEN};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const MASK: u64 = FAR_ENTRIES - 1;
/// Leaves the top bits of the sequence: a PFN of the table.
const SHIFT: u32 = u64::BITS - FAR_ENTRIES.trailing_zeros();

/// Workers made so far.
static STARTED: AtomicU64 = AtomicU64::new(0);
/// Odd, and no small multiple of [`GOLDEN`].
const APART: u64 = 0xd1b5_4a32_d192_ed03;

/// Where a worker begins: each somewhere else, or one would find in the cache what another that runs before it, the
/// baseline's say, has just read.
pub(super) fn start() -> u64 {
    STARTED.fetch_add(1, Relaxed).wrapping_mul(APART)
}

/// Hold, translate, let go; indices independent of each other. Returns `n` if all was right.
#[inline(never)]
pub fn hold(site: &impl Site, at: &mut u64, n: u64) -> u64 {
    let (mut x, mut sum, mut pfns) = (*at, 0u64, 0u64);
    for _ in 0..n {
        x = x.wrapping_add(GOLDEN);
        let pfn = x >> SHIFT;
        pfns = pfns.wrapping_add(pfn);
        match site.with(pfn, |mfn| mfn) {
            Some(mfn) => sum = sum.wrapping_add(mfn),
            None => return FAILED,
        }
    }
    *at = x;
    let expected = FAR_FACTOR
        .wrapping_mul(pfns)
        .wrapping_add(FAR_STEP.wrapping_mul(n));
    if (sum ^ expected) & MASK == 0 {
        n
    } else {
        FAILED
    }
}

/// Hold, translate, let go; the MFN is the next PFN. Returns `n` if all was right.
#[inline(never)]
pub fn dependent(site: &impl Site, at: &mut u64, n: u64) -> u64 {
    let start = *at & MASK;
    let mut pfn = start;
    for _ in 0..n {
        match site.with(pfn, |mfn| mfn) {
            Some(mfn) => pfn = mfn,
            None => return FAILED,
        }
    }
    *at = pfn;
    if pfn == after(start, n) { n } else { FAILED }
}

/// Where a chain from `pfn` is after `n` steps, in the logarithm of `n`: a step is linear, and so is a
/// step of steps.
fn after(pfn: u64, n: u64) -> u64 {
    let (mut factor, mut step) = (FAR_FACTOR, FAR_STEP);
    let (mut at, mut left) = (pfn, n);
    while left > 0 {
        if left & 1 == 1 {
            at = factor.wrapping_mul(at).wrapping_add(step) & MASK;
        }
        step = factor.wrapping_mul(step).wrapping_add(step);
        factor = factor.wrapping_mul(factor);
        left >>= 1;
    }
    debug_assert!(n != 1 || at == next(pfn));
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Native;
    use crate::lab::measure::p2m::P2m;
    use crate::lab::measure::site::TableSite;
    use crate::scheme::{Scheme, unprotected::Unprotected};

    #[test]
    fn a_chain_is_where_it_should_be_and_a_short_one_is_not() {
        let mut pfn = 5;
        for steps in 0..100 {
            assert_eq!(after(5, steps), pfn);
            pfn = next(pfn);
        }
        assert_ne!(after(5, 99), after(5, 100));
    }

    #[test]
    fn no_two_workers_read_the_same_words_one_after_the_other() {
        let chain = |from: u64| -> Vec<u64> {
            let step = |pfn: &u64| Some(next(*pfn));
            std::iter::successors(Some(from & MASK), step)
                .take(1_000)
                .collect()
        };
        let hops = |x: u64| -> Vec<u64> {
            let x = |n: u64| x.wrapping_add(GOLDEN.wrapping_mul(n)) >> SHIFT;
            (0..1_000).map(x).collect()
        };
        for read in [chain, hops] as [fn(u64) -> Vec<u64>; 2] {
            let (a, b) = (read(start()), read(start()));
            let same = a.iter().filter(|pfn| b.contains(pfn)).count();
            assert!(same < 100, "{same} of 1000");
        }
    }

    #[test]
    fn going_on_gives_the_same_checksum_and_a_wrong_entry_another() {
        let table = P2m::far();
        let reader = Scheme::<Native>::reader(&Unprotected).expect("it is never full");
        let site = TableSite::new(reader, &table);
        let (mut a, mut b) = (0, 0);
        for _ in 0..3 {
            assert_eq!(hold(&site, &mut a, 1_000), 1_000);
            assert_eq!(dependent(&site, &mut b, 1_000), 1_000);
        }
        for word in table.words() {
            word.store(0, Relaxed);
        }
        assert_eq!(hold(&site, &mut a, 10), FAILED);
        assert_eq!(dependent(&site, &mut b, 10), FAILED);
    }
}
