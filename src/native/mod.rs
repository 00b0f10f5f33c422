//! The contenders that run on the real machine only: libraries' locks, ours as those use them who do not
//! register, and what is written in assembly.
//!
//! They have no models: what a library does within is its own affair, a lock of ours
//! adds no protocol to its scheme, and no model knows restartable sequences. They are stressed and measured beside the [schemes](crate::scheme).
//!
//! **To add one**: write `src/native/NAME.rs`, add its `mod` line and its line in [`each_native`]. A
//! reader-writer lock needs only a [`Kind`](locked::Kind).

use crate::backend::Native;
use crate::scheme::{Ours, Registry, Visit};

pub mod locked;
pub mod parking_lot_recursive;
pub mod parking_lot_rwlock;
pub mod percpu_asym_tls;
pub mod percpu_rseq;
pub mod percpu_tls;
pub mod seqlock_crate;
pub mod sharded_lock;
pub mod std_rwlock;

/// Visits every scheme of ours, then the contenders of this module.
pub fn each_native(visitor: &mut impl Visit<Native>) {
    Ours::each(visitor);
    visitor.visit::<percpu_rseq::PerCpuRseq>();
    visitor.visit::<percpu_asym_tls::PerCpuAsymTls>();
    visitor.visit::<percpu_tls::PerCpuTls>();
    visitor.visit::<std_rwlock::StdRwLock>();
    visitor.visit::<parking_lot_rwlock::ParkingLotRwLock>();
    visitor.visit::<parking_lot_recursive::ParkingLotRecursive>();
    visitor.visit::<sharded_lock::ShardedLock>();
    visitor.visit::<seqlock_crate::SeqLockCrate>();
}
