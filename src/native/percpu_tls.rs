//! `percpu_tls`: [`percpu`](crate::scheme::percpu) as those use it who do not register:
//! `lock_api::RwLock` around [`RawPerCpu`].
//!
//! What it costs beside `percpu` is the price of finding one's reader by thread; a thread registers when
//! it first holds. The lock adds no protocol, so that it has no models of its own; see
//! [`lock`](crate::lock).

use super::locked::{Kind, Locked};
use crate::lock::RawPerCpu;

/// `lock_api::RwLock<RawPerCpu, ()>`.
pub type PerCpuTls = Locked<ByThread>;

/// The lock.
#[derive(Clone, Copy, Debug)]
pub struct ByThread;

impl Kind for ByThread {
    const NAME: &'static str = "percpu_tls";
    const PRECEDENT: &'static str = "percpu behind lock_api::RwLock, found by thread";
    const NESTS: bool = true;
    type Lock = lock_api::RwLock<RawPerCpu, ()>;
}
