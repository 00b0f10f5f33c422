//! `rwlock`: one writer-preferring readers/writer lock, as NetBSD's suspend branch had it (2009).
//!
//! A hold is `rw_enter(RW_READER)`, a suspend `rw_enter(RW_WRITER)`. Costs two atomic
//! read-modify-writes a hold, on one word that all CPUs share.
//!
//! It does not nest: the manual forbids taking it twice, and with a suspender waiting the second
//! hold sleeps for ever. The word and its hand-off rules are [`KRwLock`]'s.
//!
//! Source: NetBSD branch jym-xensuspend, `xen_acquire_reader_ptom_lock`; `rwlock(9)`.

use super::{Claims, Describe, Free, Full, Reader, Scheme, Size, Translate};
use crate::backend::Backend;
use crate::primitive::{KRwLock, Padded, Slots, Turnstile};
use core::cell::Cell;
use core::marker::PhantomData;

/// One `rwlock(9)`.
#[derive(Debug)]
pub struct RwLock<B: Backend> {
    lock: Padded<KRwLock<B>>,
    turnstile: Turnstile<B>,
    /// A thread's name on the turnstile; no state of its own.
    threads: Slots<B, ()>,
}

impl<B: Backend> Describe for RwLock<B> {
    const NAME: &'static str = "rwlock";
    const PRECEDENT: &'static str = "NetBSD jym-xensuspend branch, 2009: one rwlock(9)";
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

/// A thread that may share the lock.
#[derive(Debug)]
pub struct RwLockReader<'s, B: Backend> {
    scheme: &'s RwLock<B>,
    me: usize,
    not_sync: PhantomData<Cell<()>>,
}

/// The lock, shared.
#[derive(Debug)]
#[must_use = "dropping the guard ends the hold"]
pub struct RwLockHold<'h, B: Backend>(&'h RwLockReader<'h, B>);

/// The lock, owned.
#[derive(Debug)]
#[must_use = "dropping the guard resumes"]
pub struct RwLockSuspended<'r, B: Backend>(&'r RwLockReader<'r, B>);

impl<B: Backend> Scheme<B> for RwLock<B> {
    type Reader<'s> = RwLockReader<'s, B>;

    fn new(size: Size) -> Self {
        Self {
            lock: Padded(KRwLock::new(0)),
            turnstile: Turnstile::new(size.readers),
            threads: Slots::new(size.readers, || ()),
        }
    }

    fn reader(&self) -> Result<RwLockReader<'_, B>, Full> {
        Ok(RwLockReader {
            scheme: self,
            me: self.threads.claim()?,
            not_sync: PhantomData,
        })
    }
}

impl<B: Backend> Drop for RwLockReader<'_, B> {
    fn drop(&mut self) {
        self.scheme.threads.release(self.me);
    }
}

impl<B: Backend> Translate for RwLockReader<'_, B> {
    type Hold<'h>
        = RwLockHold<'h, B>
    where
        Self: 'h;

    #[inline]
    fn hold(&self) -> RwLockHold<'_, B> {
        let scheme = self.scheme;
        scheme.lock.0.enter_shared(&scheme.turnstile, self.me);
        RwLockHold(self)
    }
}

impl<B: Backend> Drop for RwLockHold<'_, B> {
    #[inline]
    fn drop(&mut self) {
        let scheme = self.0.scheme;
        scheme.lock.0.exit_shared(&scheme.turnstile);
    }
}

impl<B: Backend> Reader for RwLockReader<'_, B> {
    type Suspended<'r>
        = RwLockSuspended<'r, B>
    where
        Self: 'r;

    fn suspend(&mut self) -> RwLockSuspended<'_, B> {
        let scheme = self.scheme;
        scheme.lock.0.enter_exclusive(&scheme.turnstile, self.me);
        RwLockSuspended(self)
    }
}

impl<B: Backend> Translate for RwLockSuspended<'_, B> {
    type Hold<'h>
        = Free
    where
        Self: 'h;

    fn hold(&self) -> Free {
        Free
    }
}

impl<B: Backend> Drop for RwLockSuspended<'_, B> {
    fn drop(&mut self) {
        let scheme = self.0.scheme;
        scheme.lock.0.exit_exclusive(&scheme.turnstile, self.0.me);
    }
}
