//! A first-come, first-served lock that sleeps: the one mutual-exclusion lock of this crate.
//!
//! One word: the next ticket in the upper half, the ticket being served in the lower. Arriving adds
//! to the upper half, leaving advances the lower; whoever finds its own ticket served holds the
//! lock. At most 65,535 threads may queue. It protects no data of its own (there is no unsafe code
//! here): what it guards are atomic words, accessed `Relaxed`.
//!
//! Source of the idea: Reed and Kanodia's sequencers and eventcounts (1979); Linux's ticket spinlock
//! packed both halves into one word.

use crate::backend::{Atomic, Backend};
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

const HALF: u32 = 16;
const SERVING: u32 = (1 << HALF) - 1;

/// The lock. Taking and leaving it uncontended costs one atomic read-modify-write each.
#[derive(Debug)]
pub struct Ticket<B: Backend> {
    word: B::U32,
}

/// Holds a [`Ticket`]; dropping it lets the next in line in.
#[derive(Debug)]
#[must_use = "dropping the guard unlocks"]
pub struct TicketGuard<'l, B: Backend>(&'l Ticket<B>);

impl<B: Backend> Default for Ticket<B> {
    fn default() -> Self {
        Self {
            word: B::U32::new(0),
        }
    }
}

impl<B: Backend> Ticket<B> {
    /// Takes the lock, asleep until it is our turn.
    pub fn lock(&self) -> TicketGuard<'_, B> {
        // ORDERING: Acquire, here and below, pairs with the Release in the guard's drop. The word
        // changes only by read-modify-writes, so whoever reads our ticket as served reads from that
        // release, whoever else queued in between. If we come first, the other waits for ours.
        let mut seen = self.word.fetch_add(1 << HALF, Acquire);
        let mine = seen >> HALF;
        while seen & SERVING != mine {
            B::wait(&self.word, seen);
            // ORDERING: Acquire, as above.
            seen = self.word.load(Acquire);
        }
        TicketGuard(self)
    }
}

impl<B: Backend> Drop for TicketGuard<'_, B> {
    fn drop(&mut self) {
        let word = &self.0.word;
        let mut seen = word.load(Relaxed);
        loop {
            let left = (seen & !SERVING) | (seen.wrapping_add(1) & SERVING);
            // ORDERING: Release pairs with the Acquire in `lock`; see there.
            match word.compare_exchange_weak(seen, left, Release, Relaxed) {
                Ok(_) if left >> HALF == left & SERVING => return,
                Ok(_) => return B::wake_all(word),
                Err(now) => seen = now,
            }
        }
    }
}
