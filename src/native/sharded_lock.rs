//! `sharded_lock`: a contender, crossbeam's `ShardedLock`.
//!
//! Eight `std::sync::RwLock`s; a reader shares the one its thread hashes to, a suspender takes all.
//! It does not nest, for the same reason as `std_rwlock`.

use crate::backend::Native;
use crate::scheme::{Alone, Claims, Describe, Full, Reader, Scheme, Size, Translate};
use core::cell::Cell;
use core::marker::PhantomData;
use crossbeam::sync::{ShardedLock as Lock, ShardedLockReadGuard, ShardedLockWriteGuard};
use std::sync::PoisonError;

/// `crossbeam::sync::ShardedLock<()>`.
#[derive(Debug)]
pub struct ShardedLock(Lock<()>);

impl Describe for ShardedLock {
    const NAME: &'static str = "sharded_lock";
    const PRECEDENT: &'static str = "Rust crossbeam::sync::ShardedLock";
    const CLAIMS: Claims = Claims {
        holds: true,
        nests: false,
        bounded_wait: false,
        sleeps_in_hold: true,
        snapshot_free_of_writes: false,
        needs_quiescence: false,
        suspends_alone: true,
        drop_ends_leaks: false,
    };
}

/// A reader; there is nothing to register.
#[derive(Debug)]
pub struct ShardedReader<'s>(&'s Lock<()>, PhantomData<Cell<()>>);

impl Scheme<Native> for ShardedLock {
    type Reader<'s> = ShardedReader<'s>;

    fn new(_: Size) -> Self {
        Self(Lock::new(()))
    }

    fn reader(&self) -> Result<ShardedReader<'_>, Full> {
        Ok(ShardedReader(&self.0, PhantomData))
    }
}

impl Translate for ShardedReader<'_> {
    type Hold<'h>
        = ShardedLockReadGuard<'h, ()>
    where
        Self: 'h;

    #[inline]
    fn hold(&self) -> ShardedLockReadGuard<'_, ()> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader for ShardedReader<'_> {
    type Suspended<'r>
        = Alone<ShardedLockWriteGuard<'r, ()>>
    where
        Self: 'r;

    fn suspend(&mut self) -> Alone<ShardedLockWriteGuard<'_, ()>> {
        Alone::new(self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}
