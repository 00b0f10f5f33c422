//! `seqlock_crate`: a contender, the `seqlock` crate.
//!
//! It owns its data, so a snapshot of other words brackets them by two reads of a number that every
//! suspend raises. Its only guard is the writer's: a hold takes it, excludes other holds, and makes
//! every snapshot meanwhile spin and yield. It does not nest.

use crate::backend::Native;
use crate::scheme::{Alone, Claims, Describe, Full, Reader, Scheme, Size, Translate};
use core::cell::Cell;
use core::marker::PhantomData;
use core::sync::atomic::{Ordering::Acquire, fence};
use seqlock::{SeqLock, SeqLockGuard};

/// `seqlock::SeqLock` of the number of suspends.
#[derive(Debug)]
pub struct SeqLockCrate(SeqLock<u64>);

impl Describe for SeqLockCrate {
    const NAME: &'static str = "seqlock_crate";
    const PRECEDENT: &'static str = "Rust seqlock::SeqLock";
    const CLAIMS: Claims = Claims {
        holds: true,
        nests: false,
        bounded_wait: false,
        sleeps_in_hold: true,
        snapshot_free_of_writes: true,
        needs_quiescence: false,
        suspends_alone: true,
        drop_ends_leaks: false,
    };
}

/// A reader; there is nothing to register.
#[derive(Debug)]
pub struct SeqLockCrateReader<'s>(&'s SeqLock<u64>, PhantomData<Cell<()>>);

/// The writer's guard, held to read.
#[must_use = "dropping the guard ends the hold"]
pub struct SeqLockCrateHold<'h>(#[allow(dead_code)] SeqLockGuard<'h, u64>);

impl core::fmt::Debug for SeqLockCrateHold<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SeqLockCrateHold")
    }
}

impl Scheme<Native> for SeqLockCrate {
    type Reader<'s> = SeqLockCrateReader<'s>;

    fn new(_: Size) -> Self {
        Self(SeqLock::new(0))
    }

    fn reader(&self) -> Result<SeqLockCrateReader<'_>, Full> {
        Ok(SeqLockCrateReader(&self.0, PhantomData))
    }
}

impl Translate for SeqLockCrateReader<'_> {
    type Hold<'h>
        = SeqLockCrateHold<'h>
    where
        Self: 'h;

    #[inline]
    fn hold(&self) -> SeqLockCrateHold<'_> {
        SeqLockCrateHold(self.0.lock_write())
    }
}

impl Reader for SeqLockCrateReader<'_> {
    type Suspended<'r>
        = Alone<SeqLockGuard<'r, u64>>
    where
        Self: 'r;

    #[inline]
    fn snapshot<R>(&self, mut section: impl FnMut() -> R) -> R {
        loop {
            let before = self.0.read();
            let result = section();
            // ORDERING: Acquire pairs with the crate's Release fence after it makes its sequence odd:
            // if the section read anything written in a suspend, the read below waits for that
            // suspend to end, and finds another number.
            fence(Acquire);
            if self.0.read() == before {
                return result;
            }
        }
    }

    fn suspend(&mut self) -> Alone<SeqLockGuard<'_, u64>> {
        let mut guard = self.0.lock_write();
        *guard += 1;
        Alone::new(guard)
    }
}
