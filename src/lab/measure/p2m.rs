//! The table that is translated with: 2,048 words, 16 KiB, so that it stays in the L1 cache.
//!
//! Its entries are one cycle through all PFNs, so that the same table serves independent reads and
//! the dependent chain, where each MFN is the next PFN. It is written once, when it is made.

use super::shuffle::Shuffle;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Entries of the table.
pub const ENTRIES: u64 = 2_048;
/// Entries of a table that no near cache holds: 8 MiB.
pub const FAR_ENTRIES: u64 = 1 << 20;
/// The rule of its cycle: a linear one, of full period by Hull and Dobell (factor 1 modulo 4, odd step).
pub(super) const FAR_FACTOR: u64 = 0xa5a5d;
/// Its other constant.
pub(super) const FAR_STEP: u64 = 0x3039;

/// The entry of `pfn` in the far table.
pub(super) const fn next(pfn: u64) -> u64 {
    FAR_FACTOR.wrapping_mul(pfn).wrapping_add(FAR_STEP) & (FAR_ENTRIES - 1)
}

/// An entry without a frame.
pub const INVALID: u64 = u64::MAX;

/// A physical-to-machine table, by PFN.
#[derive(Debug)]
pub struct P2m(Box<[AtomicU64]>);

impl P2m {
    /// A table whose entries form one cycle, in the order that `seed` gives.
    pub fn cycle(seed: u64) -> Self {
        let mut order: Vec<u64> = (0..ENTRIES).collect();
        Shuffle::new(seed).shuffle(&mut order);
        let table: Box<[AtomicU64]> = (0..ENTRIES).map(|_| AtomicU64::new(INVALID)).collect();
        for (at, &pfn) in order.iter().enumerate() {
            let next = order[(at + 1) % order.len()];
            table[pfn as usize].store(next, Relaxed);
        }
        Self(table)
    }

    /// A table of [`FAR_ENTRIES`], whose entries form one cycle by a rule.
    pub fn far() -> Self {
        Self(
            (0..FAR_ENTRIES)
                .map(|pfn| AtomicU64::new(next(pfn)))
                .collect(),
        )
    }

    /// The words, by PFN.
    #[inline]
    pub fn words(&self) -> &[AtomicU64] {
        &self.0
    }
}

/// Another table with the same entries.
impl Clone for P2m {
    fn clone(&self) -> Self {
        let words = self.0.iter().map(|word| word.load(Relaxed));
        Self(words.map(AtomicU64::new).collect())
    }
}

/// The operation itself: the MFN of a PFN, if it has one. One bounds check, one load, one compare.
#[inline]
pub fn translate(table: &[AtomicU64], pfn: u64) -> Option<u64> {
    let word = table.get(pfn as usize)?.load(Relaxed);
    (word != INVALID).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_one_cycle() {
        let table = P2m::cycle(1);
        let mut pfn = 0;
        for step in 1..=ENTRIES {
            pfn = translate(table.words(), pfn).expect("every entry is valid");
            assert_eq!(pfn == 0, step == ENTRIES);
        }
    }

    #[test]
    fn the_far_table_is_one_cycle_too() {
        let mut pfn = 0;
        for step in 1..=FAR_ENTRIES {
            pfn = next(pfn);
            assert_eq!(pfn == 0, step == FAR_ENTRIES);
        }
    }

    #[test]
    fn what_is_not_there_is_none() {
        let table = P2m::cycle(1);
        assert_eq!(translate(table.words(), ENTRIES), None);
        table.words()[3].store(INVALID, Relaxed);
        assert_eq!(translate(table.words(), 3), None);
    }
}
