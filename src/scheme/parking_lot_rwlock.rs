//! `parking_lot_rwlock`: a contender, `parking_lot::RwLock`.
//!
//! One word and a global table of parked threads; eventually fair. `read` does not nest: with a
//! suspender parked, a second one deadlocks, as its documentation says.

use super::{Alone, Claims, Describe, Full, Reader, Scheme, Size, Translate};
use crate::backend::Native;
use core::cell::Cell;
use core::marker::PhantomData;
use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// `parking_lot::RwLock<()>`.
#[derive(Debug)]
pub struct ParkingLotRwLock(RwLock<()>);

impl Describe for ParkingLotRwLock {
    const NAME: &'static str = "parking_lot_rwlock";
    const PRECEDENT: &'static str = "Rust parking_lot::RwLock";
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
pub struct ParkingLotRwLockReader<'s>(&'s RwLock<()>, PhantomData<Cell<()>>);

impl Scheme<Native> for ParkingLotRwLock {
    type Reader<'s> = ParkingLotRwLockReader<'s>;

    fn new(_: Size) -> Self {
        Self(RwLock::new(()))
    }

    fn reader(&self) -> Result<ParkingLotRwLockReader<'_>, Full> {
        Ok(ParkingLotRwLockReader(&self.0, PhantomData))
    }
}

impl Translate for ParkingLotRwLockReader<'_> {
    type Hold<'h>
        = RwLockReadGuard<'h, ()>
    where
        Self: 'h;

    #[inline]
    fn hold(&self) -> RwLockReadGuard<'_, ()> {
        self.0.read()
    }
}

impl Reader for ParkingLotRwLockReader<'_> {
    type Suspended<'r>
        = Alone<RwLockWriteGuard<'r, ()>>
    where
        Self: 'r;

    fn suspend(&mut self) -> Alone<RwLockWriteGuard<'_, ()>> {
        Alone(self.0.write())
    }
}
