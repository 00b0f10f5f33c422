//! `parking_lot_rwlock`: a contender, `parking_lot::RwLock`.
//!
//! One word and a global table of parked threads; eventually fair. `read` does not nest: with a
//! suspender parked, a second one deadlocks, as its documentation says.

use super::locked::{Kind, Locked};

/// `parking_lot::RwLock<()>`.
pub type ParkingLotRwLock = Locked<ParkingLot>;

/// The lock.
#[derive(Clone, Copy, Debug)]
pub struct ParkingLot;

impl Kind for ParkingLot {
    const NAME: &'static str = "parking_lot_rwlock";
    const PRECEDENT: &'static str = "Rust parking_lot::RwLock";
    const NESTS: bool = false;
    type Lock = parking_lot::RwLock<()>;
}
