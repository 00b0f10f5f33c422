//! `solaris` with its nesting counter of eight bits, as the original has it: `uint8_t t_xpvcntr`.
//!
//! The 257th hold within one another finds the counter at 0, takes the lock again, and waits for the
//! suspender, who waits for the first 256.

use super::toy::Protocol;
use ptom::backend::{Atomic, Backend};
use ptom::primitive::{KRwLock, Turnstile};
use ptom::scheme::Size;
use std::sync::atomic::Ordering::Relaxed;

/// What eight bits hold.
const BITS: u32 = 0xff;

/// The protocol; one shard is enough.
#[derive(Debug)]
pub(super) struct Wrapping<B: Backend> {
    lock: KRwLock<B>,
    turnstile: Turnstile<B>,
    /// A reader's own: nobody else looks at it.
    depth: Vec<B::U32>,
}

impl<B: Backend> Protocol<B> for Wrapping<B> {
    fn new(size: Size) -> Self {
        Self {
            lock: KRwLock::new(0),
            turnstile: Turnstile::new(size.readers),
            depth: (0..size.readers).map(|_| B::U32::new(0)).collect(),
        }
    }

    fn enter(&self, me: usize) {
        let depth = self.depth[me].load(Relaxed);
        self.depth[me].store((depth + 1) & BITS, Relaxed);
        if depth == 0 {
            self.lock.enter_shared(&self.turnstile, me);
        }
    }

    fn leave(&self, me: usize) {
        let depth = self.depth[me].load(Relaxed).wrapping_sub(1) & BITS;
        self.depth[me].store(depth, Relaxed);
        if depth == 0 {
            self.lock.exit_shared(&self.turnstile);
        }
    }

    fn suspend(&self, me: usize) {
        self.lock.enter_exclusive(&self.turnstile, me);
    }

    fn resume(&self, me: usize) {
        self.lock.exit_exclusive(&self.turnstile, me);
    }
}
