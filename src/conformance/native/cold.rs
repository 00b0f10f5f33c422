//! Stores that take long: what makes a missing fence show.
//!
//! On x86 a load may overtake one's own earlier store only as long as that store waits in the store
//! buffer, some ten nanoseconds. Stores leave in order, so a few before it, to lines that are in no
//! cache near by, keep it there for as long as those take: half a microsecond and more, in which a
//! suspender can shut the gate and find nobody inside.

use fastrand::Rng;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Words between two lines.
const LINE: usize = 16;
/// Lines; 16 MiB, more than a core's own caches and its TLB cover.
const LINES: usize = 1 << 17;
/// Stores at a time; x86 store buffers have room for 40 to 70.
const BURST: usize = 24;

/// Lines that are likely to be far away; one set a reader.
#[derive(Debug)]
pub(super) struct Cold(Box<[AtomicU64]>);

impl Cold {
    /// 16 MiB, all of it touched.
    pub(super) fn new() -> Self {
        Self(
            (0..LINE * LINES)
                .map(|i| AtomicU64::new(i as u64))
                .collect(),
        )
    }

    /// Stores to some of them.
    #[inline]
    pub(super) fn fill(&self, rng: &mut Rng) {
        for _ in 0..BURST {
            self.0[rng.usize(..LINES) * LINE].store(1, Relaxed);
        }
    }
}
