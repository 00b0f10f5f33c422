//! `percpu_asym_tls`: [`percpu_asym`](crate::scheme::percpu_asym) as those use it who do not register:
//! `lock_api::RwLock` around [`RawPerCpuAsym`].
//!
//! What it costs beside `percpu_asym` is the price of finding one's reader by thread; a thread registers
//! when it first holds. The lock adds no protocol, so that it has no models of its own; see
//! [`lock`](crate::lock).

use super::locked::{Kind, Locked};
use crate::lock::RawPerCpuAsym;

/// `lock_api::RwLock<RawPerCpuAsym, ()>`.
pub type PerCpuAsymTls = Locked<ByThread>;

/// The lock.
#[derive(Clone, Copy, Debug)]
pub struct ByThread;

impl Kind for ByThread {
    const NAME: &'static str = "percpu_asym_tls";
    const PRECEDENT: &'static str = "percpu_asym behind lock_api::RwLock, found by thread";
    const NESTS: bool = true;
    type Lock = lock_api::RwLock<RawPerCpuAsym, ()>;
}
