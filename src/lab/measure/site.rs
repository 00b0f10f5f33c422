//! Where an operation happens: a registered reader, and the table it translates with.
//!
//! The loops of [`workload`](super::workload) are written once, over [`Site`]. A site belongs to one
//! thread.

use super::p2m::{P2m, translate};
use crate::scheme::Reader;
use std::sync::atomic::AtomicU64;

/// What a loop may do. All of it inlines into the loop.
pub trait Site {
    /// Holds, runs `used` with the MFN of `pfn`, lets go.
    fn with<R>(&self, pfn: u64, used: impl FnOnce(Option<u64>) -> R) -> R;

    /// Runs `inner` within a hold.
    fn held<R>(&self, inner: impl FnOnce() -> R) -> R;

    /// The MFN of `pfn` at one instant.
    fn snapshot(&self, pfn: u64) -> Option<u64>;

    /// Suspends, runs `during`, resumes: a cancelled suspend, after which no MFN has changed.
    fn suspend(&mut self, during: &mut dyn FnMut());

    /// Says that nothing is held now, for schemes that need to hear it.
    fn quiescent(&mut self) {}
}

/// A reader of a scheme beside a bare table.
#[derive(Debug)]
pub struct TableSite<'t, R> {
    reader: R,
    /// Where the words are, and how many: not the table, or the compiler asks it for both after each store of a
    /// hold, which could be to it for all it knows, and only where there are such stores.
    words: &'t [AtomicU64],
}

impl<'t, R: Reader> TableSite<'t, R> {
    /// A site on `table`, protected by `reader`'s scheme.
    pub fn new(reader: R, table: &'t P2m) -> Self {
        Self {
            reader,
            words: table.words(),
        }
    }
}

impl<R: Reader> Site for TableSite<'_, R> {
    #[inline]
    fn with<T>(&self, pfn: u64, used: impl FnOnce(Option<u64>) -> T) -> T {
        let _hold = self.reader.hold();
        used(translate(self.words, pfn))
    }

    #[inline]
    fn held<T>(&self, inner: impl FnOnce() -> T) -> T {
        let _hold = self.reader.hold();
        inner()
    }

    #[inline]
    fn snapshot(&self, pfn: u64) -> Option<u64> {
        self.reader.snapshot(|| translate(self.words, pfn))
    }

    fn suspend(&mut self, during: &mut dyn FnMut()) {
        let _suspended = self.reader.suspend();
        during();
    }

    #[inline]
    fn quiescent(&mut self) {
        self.reader.quiescent();
    }
}
