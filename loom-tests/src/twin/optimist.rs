//! `seqlock` whose hold is only a validated read: it waits for an even sequence, uses what it
//! protects, and would look afterwards whether that was allowed.
//!
//! It never is: by the time the second look fails, the MFN has been used.

use super::toy::Protocol;
use ptom::backend::{Atomic, Backend};
use ptom::scheme::Size;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// The protocol.
#[derive(Debug)]
pub(super) struct Optimist<B: Backend> {
    /// Odd while a suspend is under way.
    sequence: B::U32,
}

impl<B: Backend> Protocol<B> for Optimist<B> {
    fn new(_: Size) -> Self {
        Self {
            sequence: B::U32::new(0),
        }
    }

    fn enter(&self, _: usize) {
        loop {
            let now = self.sequence.load(Acquire);
            if now & 1 == 0 {
                return;
            }
            B::wait(&self.sequence, now);
        }
    }

    fn leave(&self, _: usize) {
        B::fence(Acquire);
        let _too_late = self.sequence.load(Relaxed);
    }

    fn suspend(&self, _: usize) {
        self.sequence.fetch_add(1, Relaxed);
        B::fence(Release);
    }

    fn resume(&self, _: usize) {
        self.sequence.fetch_add(1, Release);
        B::wake_all(&self.sequence);
    }
}
