//! `parking_lot_recursive`: a contender, `parking_lot::RwLock` through `read_recursive`.
//!
//! The same word and the same table of parked threads as [`parking_lot_rwlock`](super::parking_lot_rwlock),
//! but a reader that finds other readers in goes in beside them, whoever waits. So a hold within a
//! hold cannot deadlock, and that is bought with the suspender: readers that overlap without end keep
//! it out for ever.

use super::{Alone, Claims, Describe, Full, Reader, Scheme, Size, Translate};
use crate::backend::Native;
use core::cell::Cell;
use core::marker::PhantomData;
use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// `parking_lot::RwLock<()>`, read recursively.
#[derive(Debug)]
pub struct ParkingLotRecursive(RwLock<()>);

impl Describe for ParkingLotRecursive {
    const NAME: &'static str = "parking_lot_recursive";
    const PRECEDENT: &'static str = "Rust parking_lot::RwLock, read_recursive";
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

/// A reader; there is nothing to register.
#[derive(Debug)]
pub struct ParkingLotRecursiveReader<'s>(&'s RwLock<()>, PhantomData<Cell<()>>);

impl Scheme<Native> for ParkingLotRecursive {
    type Reader<'s> = ParkingLotRecursiveReader<'s>;

    fn new(_: Size) -> Self {
        Self(RwLock::new(()))
    }

    fn reader(&self) -> Result<ParkingLotRecursiveReader<'_>, Full> {
        Ok(ParkingLotRecursiveReader(&self.0, PhantomData))
    }
}

impl Translate for ParkingLotRecursiveReader<'_> {
    type Hold<'h>
        = RwLockReadGuard<'h, ()>
    where
        Self: 'h;

    #[inline]
    fn hold(&self) -> RwLockReadGuard<'_, ()> {
        self.0.read_recursive()
    }
}

impl Reader for ParkingLotRecursiveReader<'_> {
    type Suspended<'r>
        = Alone<RwLockWriteGuard<'r, ()>>
    where
        Self: 'r;

    fn suspend(&mut self) -> Alone<RwLockWriteGuard<'_, ()>> {
        Alone(self.0.write())
    }
}
