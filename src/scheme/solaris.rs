//! `solaris`: 128 padded readers/writer locks, hashed by thread, and a nesting counter a thread.
//!
//! The outermost hold of a thread shares one lock of the table; inner ones only count, so nesting
//! is free and cannot deadlock. The suspender sets its own counter to 1 ("this allows calls into
//! HAT", the code that translates), then takes **all** locks in order.
//!
//! Costs two atomic read-modify-writes an outermost hold, on a word shared by the threads that hash
//! alike; a suspend takes [`Tables::shards`](super::Tables) locks, and drains them one after the other: a thread whose
//! lock comes late may begin a hold after the suspender asked.
//!
//! Where it differs from the original: the counter there is a `uint8_t` that wraps at 256, here it
//! cannot overflow; the hash there is the thread's number within its process, so that all
//! single-threaded processes share lock 1, here each registered reader has a number of its own. The
//! locks are [`KRwLock`]s, whose hand-off rules are Solaris's but for thread priorities.
//!
//! Source: illumos `usr/src/uts/i86xpv/os/xen_mmu.c`, `xen_block_migrate` and `xen_start_migrate`.

use super::{Claims, Describe, Full, Reader, Scheme, Size, Translate};
use crate::backend::Backend;
use crate::primitive::{KRwLock, Padded, Slots, Turnstile};
use alloc::boxed::Box;
use core::cell::Cell;

/// The table of locks.
#[derive(Debug)]
pub struct Solaris<B: Backend> {
    locks: Box<[Padded<KRwLock<B>>]>,
    turnstile: Turnstile<B>,
    threads: Slots<B, ()>,
}

impl<B: Backend> Describe for Solaris<B> {
    const NAME: &'static str = "solaris";
    const PRECEDENT: &'static str = "OpenSolaris i86xpv: 128 krwlock_t by thread, nesting counter";
    const CLAIMS: Claims = Claims {
        holds: true,
        nests: true,
        bounded_wait: false,
        sleeps_in_hold: true,
        snapshot_free_of_writes: false,
        needs_quiescence: false,
        suspends_alone: true,
        drop_ends_leaks: false,
    };
}

/// A thread that may block migration.
#[derive(Debug)]
pub struct SolarisReader<'s, B: Backend> {
    scheme: &'s Solaris<B>,
    me: usize,
    /// `t_xpvcntr`: holds of this thread; 1 more while it suspends.
    depth: Cell<u64>,
}

/// One level of `xen_block_migrate`.
#[derive(Debug)]
#[must_use = "dropping the guard ends the hold"]
pub struct SolarisHold<'h, B: Backend>(&'h SolarisReader<'h, B>);

/// All locks, owned.
#[derive(Debug)]
#[must_use = "dropping the guard resumes"]
pub struct SolarisSuspended<'r, B: Backend>(&'r SolarisReader<'r, B>);

impl<B: Backend> SolarisReader<'_, B> {
    /// `XM2P_HASH`.
    #[inline]
    fn shard(&self) -> &KRwLock<B> {
        let locks = &self.scheme.locks;
        &locks[self.me & (locks.len() - 1)].0
    }
}

impl<B: Backend> Scheme<B> for Solaris<B> {
    type Reader<'s> = SolarisReader<'s, B>;

    fn new(size: Size) -> Self {
        let shards = size.tables.shards.next_power_of_two();
        Self {
            locks: (0..shards as u64)
                .map(|id| Padded(KRwLock::new(id)))
                .collect(),
            turnstile: Turnstile::new(size.readers),
            threads: Slots::new(size.readers, || ()),
        }
    }

    fn reader(&self) -> Result<SolarisReader<'_, B>, Full> {
        Ok(SolarisReader {
            scheme: self,
            me: self.threads.claim()?,
            depth: Cell::new(0),
        })
    }
}

impl<B: Backend> Drop for SolarisReader<'_, B> {
    fn drop(&mut self) {
        self.scheme.threads.release(self.me);
    }
}

impl<B: Backend> Translate for SolarisReader<'_, B> {
    type Hold<'h>
        = SolarisHold<'h, B>
    where
        Self: 'h;

    #[inline]
    fn hold(&self) -> SolarisHold<'_, B> {
        let depth = self.depth.get();
        self.depth.set(depth + 1);
        if depth == 0 {
            self.shard().enter_shared(&self.scheme.turnstile, self.me);
        }
        SolarisHold(self)
    }
}

impl<B: Backend> Drop for SolarisHold<'_, B> {
    #[inline]
    fn drop(&mut self) {
        let depth = self.0.depth.get() - 1;
        self.0.depth.set(depth);
        if depth == 0 {
            self.0.shard().exit_shared(&self.0.scheme.turnstile);
        }
    }
}

impl<B: Backend> Reader for SolarisReader<'_, B> {
    type Suspended<'r>
        = SolarisSuspended<'r, B>
    where
        Self: 'r;

    fn suspend(&mut self) -> SolarisSuspended<'_, B> {
        assert_eq!(self.depth.get(), 0, "a guard of this reader was leaked");
        self.depth.set(1);
        for lock in &self.scheme.locks {
            lock.0.enter_exclusive(&self.scheme.turnstile, self.me);
        }
        SolarisSuspended(self)
    }
}

impl<B: Backend> Translate for SolarisSuspended<'_, B> {
    type Hold<'h>
        = SolarisHold<'h, B>
    where
        Self: 'h;

    fn hold(&self) -> SolarisHold<'_, B> {
        self.0.hold()
    }
}

impl<B: Backend> Drop for SolarisSuspended<'_, B> {
    fn drop(&mut self) {
        let SolarisReader { scheme, me, depth } = self.0;
        for lock in &scheme.locks {
            lock.0.exit_exclusive(&scheme.turnstile, *me);
        }
        depth.set(depth.get() - 1);
    }
}
