//! `std_rwlock`: a contender, `std::sync::RwLock`.
//!
//! One futex word, writer-preferring on Linux, though the documentation promises no policy.
//! A recursive read may deadlock or panic, as it says there.

use crate::backend::Native;
use crate::scheme::{Alone, Claims, Describe, Full, Reader, Scheme, Size, Translate};
use core::cell::Cell;
use core::marker::PhantomData;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// `std::sync::RwLock<()>`.
#[derive(Debug)]
pub struct StdRwLock(RwLock<()>);

impl Describe for StdRwLock {
    const NAME: &'static str = "std_rwlock";
    const PRECEDENT: &'static str = "Rust std::sync::RwLock";
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
pub struct StdRwLockReader<'s>(&'s RwLock<()>, PhantomData<Cell<()>>);

impl Scheme<Native> for StdRwLock {
    type Reader<'s> = StdRwLockReader<'s>;

    fn new(_: Size) -> Self {
        Self(RwLock::new(()))
    }

    fn reader(&self) -> Result<StdRwLockReader<'_>, Full> {
        Ok(StdRwLockReader(&self.0, PhantomData))
    }
}

impl Translate for StdRwLockReader<'_> {
    type Hold<'h>
        = RwLockReadGuard<'h, ()>
    where
        Self: 'h;

    #[inline]
    fn hold(&self) -> RwLockReadGuard<'_, ()> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader for StdRwLockReader<'_> {
    type Suspended<'r>
        = Alone<RwLockWriteGuard<'r, ()>>
    where
        Self: 'r;

    fn suspend(&mut self) -> Alone<RwLockWriteGuard<'_, ()>> {
        Alone::new(self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}
