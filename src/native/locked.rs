//! Any reader-writer lock as a scheme: a hold is a read of it, a suspend a write.
//!
//! A contender says by [`Kind`] which lock it is, who it is, and how it reads; there is nothing to
//! register. What the lock promises, the scheme does, and nothing else. A poisoned lock is as good as
//! another here: it guards no data.

use crate::backend::Native;
use crate::scheme::{Alone, Claims, Describe, Full, Reader, Scheme, Size, Translate};
use core::cell::Cell;
use core::fmt::Debug;
use core::marker::PhantomData;
use crossbeam::sync::{ShardedLock, ShardedLockReadGuard, ShardedLockWriteGuard};
use lock_api::RawRwLock;
use std::sync::{self, PoisonError, TryLockError};

/// A reader-writer lock around no data, of any library.
pub trait ReadWrite: Default + Send + Sync {
    /// Guard of a read.
    type Read<'l>
    where
        Self: 'l;
    /// Guard of a write.
    type Write<'l>
    where
        Self: 'l;

    /// Begins a read.
    fn read(&self) -> Self::Read<'_>;

    /// Begins a write.
    fn write(&self) -> Self::Write<'_>;

    /// Begins a write, if nobody is in the way.
    fn try_write(&self) -> Option<Self::Write<'_>>;
}

impl<R: RawRwLock + Send + Sync> ReadWrite for lock_api::RwLock<R, ()> {
    type Read<'l>
        = lock_api::RwLockReadGuard<'l, R, ()>
    where
        Self: 'l;
    type Write<'l>
        = lock_api::RwLockWriteGuard<'l, R, ()>
    where
        Self: 'l;

    #[inline]
    fn read(&self) -> Self::Read<'_> {
        self.read()
    }

    fn write(&self) -> Self::Write<'_> {
        self.write()
    }

    fn try_write(&self) -> Option<Self::Write<'_>> {
        self.try_write()
    }
}

impl ReadWrite for sync::RwLock<()> {
    type Read<'l> = sync::RwLockReadGuard<'l, ()>;
    type Write<'l> = sync::RwLockWriteGuard<'l, ()>;

    #[inline]
    fn read(&self) -> Self::Read<'_> {
        self.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> Self::Write<'_> {
        self.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_write(&self) -> Option<Self::Write<'_>> {
        tried(self.try_write())
    }
}

impl ReadWrite for ShardedLock<()> {
    type Read<'l> = ShardedLockReadGuard<'l, ()>;
    type Write<'l> = ShardedLockWriteGuard<'l, ()>;

    #[inline]
    fn read(&self) -> Self::Read<'_> {
        self.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> Self::Write<'_> {
        self.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_write(&self) -> Option<Self::Write<'_>> {
        tried(self.try_write())
    }
}

fn tried<G>(granted: Result<G, TryLockError<G>>) -> Option<G> {
    match granted {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Which lock, and how it is read.
pub trait Kind: Send + Sync + Sized + 'static {
    /// The contender's [`Describe::NAME`].
    const NAME: &'static str;
    /// Its [`Describe::PRECEDENT`].
    const PRECEDENT: &'static str;
    /// Whether a read within a read goes in beside the outer one, whoever waits to write.
    const NESTS: bool;
    /// The lock.
    type Lock: ReadWrite + Debug + 'static;

    /// Begins a read.
    #[inline]
    fn read(lock: &Self::Lock) -> ReadOf<'_, Self> {
        lock.read()
    }
}

/// A read of a kind's lock.
pub type ReadOf<'l, K> = <<K as Kind>::Lock as ReadWrite>::Read<'l>;
/// A write of it.
pub type WriteOf<'l, K> = <<K as Kind>::Lock as ReadWrite>::Write<'l>;

/// The lock of a kind, around no data.
#[derive(Debug)]
pub struct Locked<K: Kind>(K::Lock);

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
pub struct LockedReader<'s, K: Kind>(&'s K::Lock, PhantomData<Cell<()>>);

impl<K: Kind> Scheme<Native> for Locked<K> {
    type Reader<'s> = LockedReader<'s, K>;

    fn new(_: Size) -> Self {
        Self(K::Lock::default())
    }

    fn reader(&self) -> Result<LockedReader<'_, K>, Full> {
        Ok(LockedReader(&self.0, PhantomData))
    }
}

impl<K: Kind> Translate for LockedReader<'_, K> {
    type Hold<'h>
        = ReadOf<'h, K>
    where
        Self: 'h;

    #[inline]
    fn hold(&self) -> ReadOf<'_, K> {
        K::read(self.0)
    }
}

impl<K: Kind> Reader for LockedReader<'_, K> {
    type Suspended<'r>
        = Alone<WriteOf<'r, K>>
    where
        Self: 'r;

    fn suspend(&mut self) -> Alone<WriteOf<'_, K>> {
        Alone::new(self.0.write())
    }

    fn try_suspend(&mut self) -> Option<Alone<WriteOf<'_, K>>> {
        self.0.try_write().map(Alone::new)
    }
}
