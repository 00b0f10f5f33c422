//! `percpu_asym_tls`: [`percpu_asym`](super::percpu_asym) as those use it who do not register: `lock_api::RwLock`
//! around [`RawPerCpuAsym`].
//!
//! What it costs beside `percpu_asym` is the price of finding one's reader by thread. The lock adds no
//! protocol, so that it has no models of its own; see [`lock`](crate::lock).

use super::{Alone, Claims, Describe, Full, Reader, Scheme, Size, Translate};
use crate::backend::Native;
use crate::lock::RawPerCpuAsym;
use core::cell::Cell;
use core::marker::PhantomData;
use lock_api::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// `lock_api::RwLock<RawPerCpuAsym, ()>`.
#[derive(Debug)]
pub struct PerCpuAsymTls(RwLock<RawPerCpuAsym, ()>);

impl Describe for PerCpuAsymTls {
    const NAME: &'static str = "percpu_asym_tls";
    const PRECEDENT: &'static str = "percpu_asym behind lock_api::RwLock, found by thread";
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

/// A reader; the thread registers when it first holds.
#[derive(Debug)]
pub struct PerCpuAsymTlsReader<'s>(&'s RwLock<RawPerCpuAsym, ()>, PhantomData<Cell<()>>);

impl Scheme<Native> for PerCpuAsymTls {
    type Reader<'s> = PerCpuAsymTlsReader<'s>;

    fn new(_: Size) -> Self {
        Self(RwLock::new(()))
    }

    fn reader(&self) -> Result<PerCpuAsymTlsReader<'_>, Full> {
        Ok(PerCpuAsymTlsReader(&self.0, PhantomData))
    }
}

impl Translate for PerCpuAsymTlsReader<'_> {
    type Hold<'h>
        = RwLockReadGuard<'h, RawPerCpuAsym, ()>
    where
        Self: 'h;

    #[inline]
    fn hold(&self) -> RwLockReadGuard<'_, RawPerCpuAsym, ()> {
        self.0.read()
    }
}

impl Reader for PerCpuAsymTlsReader<'_> {
    type Suspended<'r>
        = Alone<RwLockWriteGuard<'r, RawPerCpuAsym, ()>>
    where
        Self: 'r;

    fn suspend(&mut self) -> Alone<RwLockWriteGuard<'_, RawPerCpuAsym, ()>> {
        Alone(self.0.write())
    }

    fn try_suspend(&mut self) -> Option<Alone<RwLockWriteGuard<'_, RawPerCpuAsym, ()>>> {
        self.0.try_write().map(Alone)
    }
}
