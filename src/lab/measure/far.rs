//! The loops on a table that no near cache holds, 8 MiB: each chunk begins somewhere else.
//!
//! A loop that began anew each time would find its few lines in the cache; and two workers of which each went on
//! where it had stopped would keep their distance: the one just behind would find in the cache what the other
//! had read, batch for batch. So the sum of what was read is another one each time, and the checksum is made
//! of what must be true of it: the entries are one cycle by a rule (`next` in [`p2m`](super::p2m)), so the sum
//! of the entries follows from the sum of the indices, and the end of a chain from its start.

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

/// Where a worker begins: each somewhere else.
pub(super) fn start() -> u64 {
    STARTED.fetch_add(1, Relaxed).wrapping_mul(APART)
}

/// Where its next chunk begins, which has nothing to do with where the last one ended.
fn jump(at: &mut u64) -> u64 {
    // The linear congruential generator of Knuth's MMIX: its top bits are those to use.
    *at = at
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *at
}

/// Hold, translate, let go; indices independent of each other. Returns `n` if all was right.
#[inline(never)]
pub fn hold(site: &impl Site, at: &mut u64, n: u64) -> u64 {
    let (mut x, mut sum, mut pfns) = (jump(at), 0u64, 0u64);
    for _ in 0..n {
        x = x.wrapping_add(GOLDEN);
        let pfn = x >> SHIFT;
        pfns = pfns.wrapping_add(pfn);
        match site.with(pfn, |mfn| mfn) {
            Some(mfn) => sum = sum.wrapping_add(mfn),
            None => return FAILED,
        }
    }
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
    let start = jump(at) >> SHIFT;
    let mut pfn = start;
    for _ in 0..n {
        match site.with(pfn, |mfn| mfn) {
            Some(mfn) => pfn = mfn,
            None => return FAILED,
        }
    }
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
    fn no_worker_reads_behind_another() {
        let chain = |from: u64| -> Vec<u64> {
            let step = |pfn: &u64| Some(next(*pfn));
            std::iter::successors(Some(from >> SHIFT), step)
                .take(1_000)
                .collect()
        };
        let hops = |x: u64| -> Vec<u64> {
            let x = |n: u64| x.wrapping_add(GOLDEN.wrapping_mul(n)) >> SHIFT;
            (0..1_000).map(x).collect()
        };
        for read in [chain, hops] as [fn(u64) -> Vec<u64>; 2] {
            let (mut a, mut b) = (start(), start());
            let mut before = std::collections::HashSet::new();
            let mut met = 0;
            for _ in 0..20 {
                let (a, b) = (read(jump(&mut a)), read(jump(&mut b)));
                before.extend(a);
                met += b.iter().filter(|pfn| before.contains(pfn)).count();
            }
            // By chance: of 20,000 reads in a table of a million about one in a hundred.
            assert!(met < 2_000, "{met} of 20000");
        }
    }

    #[test]
    fn each_chunk_gives_the_same_checksum_and_a_wrong_entry_another() {
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
