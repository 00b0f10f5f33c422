//! Registration: a fixed number of places, each claimed by one reader at a time.
//!
//! A slot's `taken` word is written by whoever claims or releases it; its value belongs to the
//! reader that has claimed it, and is read by suspenders whether it is claimed or not. So a released
//! slot must be left in the state that means "no hold".
//!
//! A place is reserved by number first, and only then looked for. A search alone can miss a free
//! slot, by passing it just before it is released, or by a stale look at it (a model found this).

use super::Padded;
use crate::backend::{Atomic, Backend};
use alloc::boxed::Box;
use core::fmt;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// More readers than slots: nothing was registered. Make the lock with a larger
/// [`Size`](crate::scheme::Size), or drop a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("every reader slot is taken; make the lock with more of them")
    }
}

impl core::error::Error for Full {}

#[derive(Debug)]
struct Slot<B: Backend, T> {
    value: T,
    /// 0 free, 1 claimed.
    taken: B::U32,
}

/// A fixed table of padded values, one a registered reader.
#[derive(Debug)]
pub struct Slots<B: Backend, T> {
    /// Slots that are neither claimed nor reserved by somebody who looks for one.
    unreserved: Padded<B::U32>,
    slots: Box<[Padded<Slot<B, T>>]>,
}

impl<B: Backend, T> Slots<B, T> {
    /// `count` free slots, each holding what `make` returns.
    pub fn new(count: usize, mut make: impl FnMut() -> T) -> Self {
        let slot = |_| {
            Padded(Slot {
                value: make(),
                taken: B::U32::new(0),
            })
        };
        Self {
            unreserved: Padded(B::U32::new(count as u32)),
            slots: (0..count).map(slot).collect(),
        }
    }

    /// Claims a free slot; O(slots), unless others come and go meanwhile.
    ///
    /// # Errors
    /// [`Full`] when there is none.
    pub fn claim(&self) -> Result<usize, Full> {
        self.reserve()?;
        let mut turn = 0;
        loop {
            if let Some(index) = self.find() {
                return Ok(index);
            }
            B::relax(turn);
            turn = turn.saturating_add(1);
        }
    }

    /// Reserves one slot, whichever it will be.
    fn reserve(&self) -> Result<(), Full> {
        let unreserved = &self.unreserved.0;
        // A guess, which the exchange corrects. Its failure may return a stale 0, as a load may; but
        // whoever has been told of a release has its number from there, and sees it here.
        let mut left = 1;
        while left > 0 {
            // Relaxed: it only counts; who finds a slot synchronises with its last owner there.
            match unreserved.compare_exchange_weak(left, left - 1, Relaxed, Relaxed) {
                Ok(_) => return Ok(()),
                Err(now) => left = now,
            }
        }
        Err(Full)
    }

    /// Claims the first slot that looks free.
    fn find(&self) -> Option<usize> {
        let free = |slot: &Padded<Slot<B, T>>| {
            let taken = &slot.0.taken;
            // AUDIT: Acquire to Relaxed survives in bravo, rwlock, solaris: a slot is only a name there, and what
            // is kept under it is ordered by the turnstile's interlock.
            // ORDERING: Acquire pairs with the Release in `release`: the slot's next owner starts
            // from what its last owner left. If the release is first we see its "no hold"; if the
            // claim is first it fails, and the slot is not ours.
            taken.load(Relaxed) == 0 && taken.compare_exchange(0, 1, Acquire, Relaxed).is_ok()
        };
        self.slots.iter().position(free)
    }

    /// Gives a claimed slot back.
    pub fn release(&self, index: usize) {
        // AUDIT: Release to Relaxed survives in bravo, rwlock, solaris: a slot is only a name there; see `find`.
        // ORDERING: Release pairs with the Acquire in `find`; see there.
        self.slots[index].0.taken.store(0, Release);
        self.unreserved.0.fetch_add(1, Relaxed);
    }

    /// The value of one slot.
    #[inline]
    pub fn get(&self, index: usize) -> &T {
        &self.slots[index].0.value
    }

    /// Every slot's value, claimed or not.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().map(|slot| &slot.0.value)
    }
}
