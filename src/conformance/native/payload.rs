//! What a suspend changes: a few words, each on cache lines of its own.

use crate::primitive::Padded;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Words in a payload. A suspend changes them one after the other, so that there is time to be torn.
pub const WORDS: usize = 8;

/// Words that a suspend sets, all to its own number.
pub trait Payload: Send + Sync {
    /// Whether reads may overlap writes. If not, an optimistic snapshot must not read it.
    const ATOMIC: bool;

    /// Reads a word, in a hold. Panics unless `index` is below [`WORDS`].
    fn read(&self, index: usize) -> u64;

    /// Writes a word, while suspended. Panics unless `index` is below [`WORDS`].
    fn write(&self, index: usize, value: u64);
}

/// Atomic words, accessed `Relaxed`: they order nothing, the scheme must.
#[derive(Debug, Default)]
pub struct Words([Padded<AtomicU64>; WORDS]);

impl Payload for Words {
    const ATOMIC: bool = true;

    #[inline]
    fn read(&self, index: usize) -> u64 {
        self.0[index].0.load(Relaxed)
    }

    #[inline]
    fn write(&self, index: usize, value: u64) {
        self.0[index].0.store(value, Relaxed);
    }
}
