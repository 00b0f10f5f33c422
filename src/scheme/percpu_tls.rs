//! `percpu_tls`: [`percpu`](super::percpu) as those use it who do not register: `lock_api::RwLock`
//! around [`RawPerCpu`].
//!
//! What it costs beside `percpu` is the price of finding one's reader by thread. The lock adds no
//! protocol, so that it has no models of its own; see [`lock`](crate::lock).

use super::{Alone, Claims, Describe, Full, Reader, Scheme, Size, Translate};
use crate::backend::Native;
use crate::lock::RawPerCpu;
use core::cell::Cell;
use core::marker::PhantomData;
use lock_api::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// `lock_api::RwLock<RawPerCpu, ()>`.
#[derive(Debug)]
pub struct PerCpuTls(RwLock<RawPerCpu, ()>);

impl Describe for PerCpuTls {
    const NAME: &'static str = "percpu_tls";
    const PRECEDENT: &'static str = "percpu behind lock_api::RwLock, found by thread";
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
pub struct PerCpuTlsReader<'s>(&'s RwLock<RawPerCpu, ()>, PhantomData<Cell<()>>);

impl Scheme<Native> for PerCpuTls {
    type Reader<'s> = PerCpuTlsReader<'s>;

    fn new(_: Size) -> Self {
        Self(RwLock::new(()))
    }

    fn reader(&self) -> Result<PerCpuTlsReader<'_>, Full> {
        Ok(PerCpuTlsReader(&self.0, PhantomData))
    }
}

impl Translate for PerCpuTlsReader<'_> {
    type Hold<'h>
        = RwLockReadGuard<'h, RawPerCpu, ()>
    where
        Self: 'h;

    #[inline]
    fn hold(&self) -> RwLockReadGuard<'_, RawPerCpu, ()> {
        self.0.read()
    }
}

impl Reader for PerCpuTlsReader<'_> {
    type Suspended<'r>
        = Alone<RwLockWriteGuard<'r, RawPerCpu, ()>>
    where
        Self: 'r;

    fn suspend(&mut self) -> Alone<RwLockWriteGuard<'_, RawPerCpu, ()>> {
        Alone(self.0.write())
    }

    fn try_suspend(&mut self) -> Option<Alone<RwLockWriteGuard<'_, RawPerCpu, ()>>> {
        self.0.try_write().map(Alone)
    }
}
