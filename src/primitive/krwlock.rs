//! The semantics of NetBSD's `rwlock(9)`, one word.
//!
//! The word holds either the owner of the write lock or the number of readers, above four flag
//! bits, exactly as `sys/rwlock.h` lays it out (without LOCKDEBUG's bit):
//!
//! | bits | meaning |
//! |---|---|
//! | 0 [`HAS_WAITERS`] | somebody sleeps; the last to leave must hand the lock over |
//! | 1 [`WRITE_WANTED`] | a writer waits: **new** readers stand back |
//! | 2 [`WRITE_LOCKED`] | the upper bits are an owner, not a count |
//! | 4.. [`THREAD`] | the owner (thread + 1), or the number of readers |
//!
//! Hand-off rules (`kern_rwlock.c`, `rw_vector_exit`): a writer that leaves gives the lock to *all*
//! waiting readers, and keeps new ones out if writers wait too; the last reader that leaves hands it
//! to the *longest waiting* writer if readers wait as well, else it wakes all writers and lets them
//! fight it out, with `WRITE_WANTED` set so that no new reader gets between.
//!
//! A reader that takes the lock twice works while no writer waits, and sleeps for ever when one
//! does. That is the manual page's "must not recursively acquire read locks", and a latent bug in
//! every kernel that does.
//!
//! Left out: spinning while the owner is on a CPU (`rw_oncpu`), which needs a scheduler to ask.

use super::turnstile::{Queue, Turnstile};
use crate::backend::{Atomic, Backend};
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// Somebody sleeps on the turnstile.
const HAS_WAITERS: u64 = 1;
/// A writer waits, so new readers must.
const WRITE_WANTED: u64 = 2;
/// Owned by a writer.
const WRITE_LOCKED: u64 = 4;
/// The owner or the count begins here (bit 3 is LOCKDEBUG's).
const SHIFT: u32 = 4;
/// One reader more.
const READ_INCR: u64 = 1 << SHIFT;
/// The owner or the count.
const THREAD: u64 = !(READ_INCR - 1);

/// The lock. Sharing it costs one compare-exchange to enter and one to leave.
///
/// Every call names the turnstile to sleep on and the calling thread's place in it.
#[derive(Debug)]
pub struct KRwLock<B: Backend> {
    owner: B::U64,
    /// Its name on the turnstile.
    id: u64,
}

impl<B: Backend> KRwLock<B> {
    /// A free lock; `id` tells it from the others that share its turnstile.
    pub fn new(id: u64) -> Self {
        Self {
            owner: B::U64::new(0),
            id,
        }
    }

    /// `rw_enter(rw, RW_READER)`.
    #[inline]
    pub fn enter_shared(&self, turnstile: &Turnstile<B>, me: usize) {
        self.enter(turnstile, me, Queue::Reader);
    }

    /// `rw_enter(rw, RW_WRITER)`.
    pub fn enter_exclusive(&self, turnstile: &Turnstile<B>, me: usize) {
        self.enter(turnstile, me, Queue::Writer);
    }

    #[inline]
    fn enter(&self, turnstile: &Turnstile<B>, me: usize, queue: Queue) {
        let (incr, need_wait) = Self::terms(me, queue);
        let owner = &self.owner;
        let mut seen = owner.load(Relaxed);
        while seen & need_wait == 0 {
            let next = (seen + incr) & !WRITE_WANTED;
            // ORDERING: Acquire pairs with the Release in `exit`. The word changes only by
            // read-modify-writes, so we synchronise with every leaver before us. If the leaver is
            // first we see what it did; if we are first, it was not in our way.
            match owner.compare_exchange_weak(seen, next, Acquire, Relaxed) {
                Ok(_) => return,
                Err(now) => seen = now,
            }
        }
        self.enter_slow(turnstile, me, queue);
    }

    /// What entering adds to the word, and which bits forbid it.
    #[inline]
    fn terms(me: usize, queue: Queue) -> (u64, u64) {
        match queue {
            Queue::Reader => (READ_INCR, WRITE_LOCKED | WRITE_WANTED),
            Queue::Writer => (Self::owned_by(me), WRITE_LOCKED | THREAD),
        }
    }

    #[inline]
    fn owned_by(me: usize) -> u64 {
        ((me as u64 + 1) << SHIFT) | WRITE_LOCKED
    }

    #[cold]
    fn enter_slow(&self, turnstile: &Turnstile<B>, me: usize, queue: Queue) {
        let (incr, need_wait) = Self::terms(me, queue);
        let waits = match queue {
            Queue::Reader => HAS_WAITERS,
            Queue::Writer => HAS_WAITERS | WRITE_WANTED,
        };
        loop {
            let interlocked = turnstile.lookup();
            let seen = self.owner.load(Relaxed);
            if seen & need_wait == 0 {
                drop(interlocked);
                let next = (seen + incr) & !WRITE_WANTED;
                // ORDERING: Acquire, as in `enter`.
                if self
                    .owner
                    .compare_exchange_weak(seen, next, Acquire, Relaxed)
                    .is_ok()
                {
                    return;
                }
                continue;
            }
            // Between our look and this, the holder may have gone: then look again. Once the bits
            // are set the last holder needs the interlock to leave, and so finds us asleep.
            if self
                .owner
                .compare_exchange_weak(seen, seen | waits, Relaxed, Relaxed)
                .is_err()
            {
                continue;
            }
            interlocked.block(me, self.id, queue);
            // A woken reader has been handed the lock; a writer only if it is the owner now.
            // Waking synchronised with the leaver (see `Locked::block`), so the load may be Relaxed.
            match queue {
                Queue::Reader => return,
                Queue::Writer => {
                    if self.owner.load(Relaxed) & (THREAD | WRITE_LOCKED) == incr {
                        return;
                    }
                }
            }
        }
    }

    /// `rw_exit` of a reader.
    #[inline]
    pub fn exit_shared(&self, turnstile: &Turnstile<B>) {
        self.exit(turnstile, READ_INCR);
    }

    /// `rw_exit` of the writer `me`.
    pub fn exit_exclusive(&self, turnstile: &Turnstile<B>, me: usize) {
        self.exit(turnstile, Self::owned_by(me));
    }

    #[inline]
    fn exit(&self, turnstile: &Turnstile<B>, decr: u64) {
        let owner = &self.owner;
        let mut seen = owner.load(Relaxed);
        loop {
            let left = seen - decr;
            if left & (THREAD | HAS_WAITERS) == HAS_WAITERS {
                return self.hand_over(turnstile, decr);
            }
            // ORDERING: Release pairs with the Acquire in `enter`; see there.
            match owner.compare_exchange_weak(seen, left, Release, Relaxed) {
                Ok(_) => return,
                Err(now) => seen = now,
            }
        }
    }

    /// The last holder leaves and somebody sleeps: give the lock away.
    #[cold]
    fn hand_over(&self, turnstile: &Turnstile<B>, decr: u64) {
        let interlocked = turnstile.lookup();
        let readers = interlocked.waiters(self.id, Queue::Reader);
        let writers = interlocked.waiters(self.id, Queue::Writer);
        // Nobody else changes the word now: it is held, and sleeping needs the interlock.
        if readers > 0 && decr != READ_INCR {
            let wanted = if writers > 0 {
                HAS_WAITERS | WRITE_WANTED
            } else {
                0
            };
            // ORDERING: Release pairs with the Acquire in `enter` of a reader that joins those who get the
            // lock here: it sees what we, the writer, did. If it comes first it sees us, and waits.
            self.owner.swap((readers << SHIFT) | wanted, Release);
            interlocked.wake_queue(self.id, Queue::Reader);
        } else if readers > 0
            && let Some(heir) = interlocked.longest(self.id, Queue::Writer)
        {
            let wanted = if writers > 1 { WRITE_WANTED } else { 0 };
            // ORDERING: Acquire pairs with the Release in `exit` of readers that left before us: through
            // `wake` the heir synchronises with us, and so with them. If they had not left, we
            // were not the last, and would not be here.
            self.owner
                .swap(Self::owned_by(heir) | HAS_WAITERS | wanted, Acquire);
            interlocked.wake(heir);
        } else {
            // AUDIT: Release to Relaxed survives in bravo: killed in rwlock, beyond the bound of bravo's models.
            // ORDERING: Release pairs with the Acquire in `enter` of the writer that gets the lock; it synchronises with
            // those who left before us too, whose exits this continues. If it is first it waits.
            self.owner.swap(WRITE_WANTED, Release);
            interlocked.wake_queue(self.id, Queue::Writer);
        }
    }
}
