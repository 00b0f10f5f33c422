//! Any `lock_api::RwLock` as a scheme: a hold is a read of it, a suspend a write.
//!
//! A contender says by [`Kind`] which raw lock it is, who it is, and how it reads; there is nothing to
//! register. What the raw lock promises, the scheme does, and nothing else.

use crate::backend::Native;
use crate::scheme::{Alone, Claims, Describe, Full, Reader, Scheme, Size, Translate};
use core::cell::Cell;
use core::marker::PhantomData;
use lock_api::{RawRwLock, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Which lock, and how it is read.
pub trait Kind: Send + Sync + Sized + 'static {
    /// The contender's [`Describe::NAME`].
    const NAME: &'static str;
    /// Its [`Describe::PRECEDENT`].
    const PRECEDENT: &'static str;
    /// Whether a read within a read goes in beside the outer one, whoever waits to write.
    const NESTS: bool;
    /// The lock.
    type Raw: RawRwLock + Send + Sync + 'static;

    /// Begins a read.
    #[inline]
    fn read(lock: &RwLock<Self::Raw, ()>) -> RwLockReadGuard<'_, Self::Raw, ()> {
        lock.read()
    }
}

/// The lock of a kind, around no data.
#[derive(Debug)]
pub struct Locked<K: Kind>(RwLock<K::Raw, ()>);

impl<K: Kind> Describe for Locked<K> {
    const NAME: &'static str = K::NAME;
    const PRECEDENT: &'static str = K::PRECEDENT;
    const CLAIMS: Claims = Claims {
        holds: true,
        nests: K::NESTS,
        bounded_wait: false,
        sleeps_in_hold: true,
        snapshot_free_of_writes: false,
        needs_quiescence: false,
        suspends_alone: true,
        drop_ends_leaks: false,
    };
}

/// A reader; it belongs to one thread, as every other, though the lock would not mind.
#[derive(Debug)]
pub struct LockedReader<'s, K: Kind>(&'s RwLock<K::Raw, ()>, PhantomData<Cell<()>>);

impl<K: Kind> Scheme<Native> for Locked<K> {
    type Reader<'s> = LockedReader<'s, K>;

    fn new(_: Size) -> Self {
        Self(RwLock::new(()))
    }

    fn reader(&self) -> Result<LockedReader<'_, K>, Full> {
        Ok(LockedReader(&self.0, PhantomData))
    }
}

impl<K: Kind> Translate for LockedReader<'_, K> {
    type Hold<'h>
        = RwLockReadGuard<'h, K::Raw, ()>
    where
        Self: 'h;

    #[inline]
    fn hold(&self) -> RwLockReadGuard<'_, K::Raw, ()> {
        K::read(self.0)
    }
}

impl<K: Kind> Reader for LockedReader<'_, K> {
    type Suspended<'r>
        = Alone<RwLockWriteGuard<'r, K::Raw, ()>>
    where
        Self: 'r;

    fn suspend(&mut self) -> Alone<RwLockWriteGuard<'_, K::Raw, ()>> {
        Alone::new(self.0.write())
    }

    fn try_suspend(&mut self) -> Option<Alone<RwLockWriteGuard<'_, K::Raw, ()>>> {
        self.0.try_write().map(Alone::new)
    }
}
