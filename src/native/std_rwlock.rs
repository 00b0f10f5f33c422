//! `std_rwlock`: a contender, `std::sync::RwLock`.
//!
//! One futex word, writer-preferring on Linux, though the documentation promises no policy.
//! A recursive read may deadlock or panic, as it says there.

use super::locked::{Kind, Locked};

/// `std::sync::RwLock<()>`.
pub type StdRwLock = Locked<Std>;

/// The lock.
#[derive(Clone, Copy, Debug)]
pub struct Std;

impl Kind for Std {
    const NAME: &'static str = "std_rwlock";
    const PRECEDENT: &'static str = "Rust std::sync::RwLock";
    const NESTS: bool = false;
    type Lock = std::sync::RwLock<()>;
}
