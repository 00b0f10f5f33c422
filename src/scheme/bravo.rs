//! `bravo`: a table of visible readers beside an ordinary rwlock, used while it is biased to readers.
//!
//! While the bias is set, a reader claims its place in a table by one compare-exchange, looks at the
//! bias again, and is in. A suspender takes the rwlock as a writer, takes the bias away, and waits until every
//! place is empty. From then on readers share the rwlock, and after a while one of them sets the bias
//! again. So a lock with rare suspends costs its readers one atomic read-modify-write on a line that is
//! nearly always their own, and any rwlock can be had underneath.
//!
//! It does not nest: a hold within a hold finds its own place taken, and shares the rwlock, where a
//! waiting suspender comes first.
//!
//! # Reader against suspender
//!
//! | reader | suspender, who owns the rwlock |
//! |---|---|
//! | `place.compare_exchange(0, 1)` | `bias.store(0)` |
//! | `fence_after_rmw()` | `fence(SeqCst)` |
//! | `bias.load()` | `place.load()` |
//!
//! The two fences have an order. If the reader's is first, the suspender finds the place taken, and waits.
//! If the suspender's is first, the reader finds no bias, empties its place, and queues for the rwlock.
//! (A published page-table lock looks at the bias `Relaxed`, with no fence, and lets go `Relaxed`: each of
//! these, taken away here, is found by a model.)
//!
//! Source: Dice and Kogan, "BRAVO: Biased Locking for Reader-Writer Locks" (ATC 2019). Two
//! differences: their table is the process's, ours the lock's, since a kernel has one such lock; and
//! there the bias stays away for nine times as long as the table took to scan, here, where there is no
//! clock, for [`Tables::slow_holds`](super::Tables) holds of the reader that sets it.

use super::{Claims, Describe, Free, Full, Reader, Scheme, Size, Translate};
use crate::backend::{Atomic, Backend};
use crate::primitive::{KRwLock, Padded, Slots, Turnstile, drain};
use alloc::boxed::Box;
use core::cell::Cell;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};

/// Readers may go by the table.
const BIASED: u64 = 1;
/// A place that nobody is in, and one that somebody is in.
const EMPTY: u64 = 0;
const TAKEN: u64 = 1;
/// 2^64 over the golden ratio, odd: spreads readers over the table.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// A bias, the table, and the lock underneath.
#[derive(Debug)]
pub struct Bravo<B: Backend> {
    /// [`BIASED`] or 0. Set by a reader that shares the lock, cleared by the suspender that owns it.
    bias: Padded<B::U64>,
    /// Visible readers. Not padded, as the precedent: places of two readers rarely are neighbours.
    visible: Box<[B::U64]>,
    lock: Padded<KRwLock<B>>,
    turnstile: Turnstile<B>,
    /// A thread's name on the turnstile; no state of its own.
    threads: Slots<B, ()>,
    /// Holds that a reader shares the lock for before it sets the bias again.
    slow_holds: u32,
}

impl<B: Backend> Describe for Bravo<B> {
    const NAME: &'static str = "bravo";
    const PRECEDENT: &'static str = "Dice & Kogan, ATC'19: visible readers beside an rwlock";
    const CLAIMS: Claims = Claims {
        holds: true,
        nests: false,
        bounded_wait: true,
        sleeps_in_hold: true,
        snapshot_free_of_writes: false,
        needs_quiescence: false,
        suspends_alone: true,
        drop_ends_leaks: false,
    };
}

/// A registered reader.
#[derive(Debug)]
pub struct BravoReader<'s, B: Backend> {
    scheme: &'s Bravo<B>,
    me: usize,
    /// Its place in the table, shared with few others, if any.
    place: &'s B::U64,
    /// Holds since the last one by the table.
    slow: Cell<u32>,
}

/// A hold: by the table, or a share of the lock.
#[derive(Debug)]
#[must_use = "dropping the guard ends the hold"]
pub struct BravoHold<'h, B: Backend> {
    reader: &'h BravoReader<'h, B>,
    visible: bool,
}

/// The lock, owned, without bias.
#[derive(Debug)]
#[must_use = "dropping the guard resumes"]
pub struct BravoSuspended<'r, B: Backend>(&'r BravoReader<'r, B>);

impl<B: Backend> Scheme<B> for Bravo<B> {
    type Reader<'s> = BravoReader<'s, B>;

    fn new(size: Size) -> Self {
        // A hash is masked.
        let places = size.tables.visible.next_power_of_two();
        Self {
            bias: Padded(B::U64::new(BIASED)),
            visible: (0..places).map(|_| B::U64::new(EMPTY)).collect(),
            lock: Padded(KRwLock::new(0)),
            turnstile: Turnstile::new(size.readers),
            threads: Slots::new(size.readers, || ()),
            slow_holds: size.tables.slow_holds,
        }
    }

    fn reader(&self) -> Result<BravoReader<'_, B>, Full> {
        let me = self.threads.claim()?;
        let hash = (me as u64 + 1).wrapping_mul(GOLDEN) >> 32;
        Ok(BravoReader {
            scheme: self,
            me,
            place: &self.visible[hash as usize & (self.visible.len() - 1)],
            slow: Cell::new(0),
        })
    }
}

impl<B: Backend> Drop for BravoReader<'_, B> {
    fn drop(&mut self) {
        self.scheme.threads.release(self.me);
    }
}

impl<B: Backend> BravoReader<'_, B> {
    /// Whether we are in by the table.
    #[inline]
    fn show(&self) -> bool {
        let bias = &self.scheme.bias.0;
        if bias.load(Relaxed) != BIASED {
            return false;
        }
        let place = self.place;
        // Relaxed: the fence that follows acquires what another reader of this place released when it left, so
        // that its hold comes before whatever we store there.
        let taken = place.compare_exchange(EMPTY, TAKEN, Relaxed, Relaxed);
        if taken.is_err() {
            return false;
        }
        // ORDERING: SeqCst pairs with the fence in `suspend`; both orders are argued above.
        B::fence_after_rmw();
        // ORDERING: Acquire pairs with the Release in `share`: who sees the bias sees all suspends before. If
        // it is set later we find it gone.
        if bias.load(Acquire) == BIASED {
            return true;
        }
        // Relaxed: the suspender may find the place empty by this store, after another reader's hold; the fence
        // above orders that hold before it.
        place.store(EMPTY, Relaxed);
        false
    }

    #[cold]
    fn share(&self) {
        let scheme = self.scheme;
        scheme.lock.0.enter_shared(&scheme.turnstile, self.me);
        let slow = self.slow.get() + 1;
        if slow < scheme.slow_holds {
            return self.slow.set(slow);
        }
        self.slow.set(0);
        // ORDERING: Release pairs with the Acquire in `show`; see there. The next suspender comes after us,
        // by the lock, and finds it.
        scheme.bias.0.store(BIASED, Release);
    }
}

impl<B: Backend> Translate for BravoReader<'_, B> {
    type Hold<'h>
        = BravoHold<'h, B>
    where
        Self: 'h;

    #[inline]
    fn hold(&self) -> BravoHold<'_, B> {
        let visible = self.show();
        if !visible {
            self.share();
        }
        BravoHold {
            reader: self,
            visible,
        }
    }
}

impl<B: Backend> Drop for BravoHold<'_, B> {
    #[inline]
    fn drop(&mut self) {
        let BravoReader { scheme, place, .. } = self.reader;
        if self.visible {
            // ORDERING: Release pairs with the Acquire in `drain`: whoever sees the place empty sees all that
            // the hold did. If the suspender looks first, it sees us, and looks again.
            place.store(EMPTY, Release);
        } else {
            scheme.lock.0.exit_shared(&scheme.turnstile);
        }
    }
}

impl<B: Backend> Reader for BravoReader<'_, B> {
    type Suspended<'r>
        = BravoSuspended<'r, B>
    where
        Self: 'r;

    fn suspend(&mut self) -> BravoSuspended<'_, B> {
        let scheme = self.scheme;
        scheme.lock.0.enter_exclusive(&scheme.turnstile, self.me);
        // Nobody else writes it while we own the lock.
        if scheme.bias.0.load(Relaxed) == BIASED {
            scheme.bias.0.store(0, Relaxed);
            // ORDERING: SeqCst pairs with the fence in `show`; both orders are argued above.
            B::fence(SeqCst);
            drain::<B>(&scheme.visible, |place| place == EMPTY);
        }
        BravoSuspended(self)
    }
}

impl<B: Backend> Translate for BravoSuspended<'_, B> {
    type Hold<'h>
        = Free
    where
        Self: 'h;

    fn hold(&self) -> Free {
        Free
    }
}

impl<B: Backend> Drop for BravoSuspended<'_, B> {
    fn drop(&mut self) {
        let BravoReader { scheme, me, .. } = self.0;
        scheme.lock.0.exit_exclusive(&scheme.turnstile, *me);
    }
}
