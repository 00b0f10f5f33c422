//! `parking_lot_recursive`: a contender, `parking_lot::RwLock` through `read_recursive`.
//!
//! The same word and the same table of parked threads as [`parking_lot_rwlock`](super::parking_lot_rwlock),
//! but a reader that finds other readers in goes in beside them, whoever waits. So a hold within a
//! hold cannot deadlock, and that is bought with the suspender: readers that overlap without end keep
//! it out for ever.

use super::locked::{Kind, Locked, ReadOf};
use parking_lot::RwLock;

/// `parking_lot::RwLock<()>`, read recursively.
pub type ParkingLotRecursive = Locked<Recursive>;

/// The lock, and how it is read.
#[derive(Clone, Copy, Debug)]
pub struct Recursive;

impl Kind for Recursive {
    const NAME: &'static str = "parking_lot_recursive";
    const PRECEDENT: &'static str = "Rust parking_lot::RwLock, read_recursive";
    const NESTS: bool = true;
    type Lock = RwLock<()>;

    #[inline]
    fn read(lock: &Self::Lock) -> ReadOf<'_, Self> {
        lock.read_recursive()
    }
}
