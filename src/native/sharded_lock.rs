//! `sharded_lock`: a contender, crossbeam's `ShardedLock`.
//!
//! Eight `std::sync::RwLock`s; a reader shares the one its thread hashes to, a suspender takes all.
//! It does not nest, for the same reason as `std_rwlock`.

use super::locked::{Kind, Locked};

/// `crossbeam::sync::ShardedLock<()>`.
pub type ShardedLock = Locked<Sharded>;

/// The lock.
#[derive(Clone, Copy, Debug)]
pub struct Sharded;

impl Kind for Sharded {
    const NAME: &'static str = "sharded_lock";
    const PRECEDENT: &'static str = "Rust crossbeam::sync::ShardedLock";
    const NESTS: bool = false;
    type Lock = crossbeam::sync::ShardedLock<()>;
}
