//! The table that is translated with: 2,048 words, 16 KiB, so that it stays in the L1 cache.
//!
//! Its entries are one cycle through all PFNs, so that the same table serves independent reads and
//! the dependent chain, where each MFN is the next PFN. It is written once, when it is made.

use super::shuffle::Shuffle;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Entries of the table.
pub const ENTRIES: u64 = 2_048;
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
    fn what_is_not_there_is_none() {
        let table = P2m::cycle(1);
        assert_eq!(translate(table.words(), ENTRIES), None);
        table.words()[3].store(INVALID, Relaxed);
        assert_eq!(translate(table.words(), 3), None);
    }
}
