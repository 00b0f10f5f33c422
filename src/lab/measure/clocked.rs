//! The real machine with a clock at its heavy fence, so that a suspend's barrier is told from its drain.
//!
//! [`Clocked`] is [`Native`] in everything that a reader does, word for word. A thread's
//! heavy fences are timed into a thread-local that `barrier_of` reads; nobody else touches it. So
//! a scheme need not know, and one of ours (which runs on any backend) takes the place of its native
//! twin where suspends are timed. A library's lock keeps its barrier, if any, to itself.
//!
//! Beside them runs [`HEAVY_FENCE`]: a suspend that is one bare heavy fence and excludes nobody. It is
//! what a scheme that needs the fence cannot get below.

use super::contender::{Contender, SiteWorker, Worker};
use super::field::Field;
use super::p2m::P2m;
use super::site::{Site, TableSite};
use super::watch::{Watch, attend};
use super::workload::GOLDEN;
use crate::backend::{Backend, Native};
use crate::lab::sample::Workload;
use crate::scheme::unprotected::Unprotected;
use crate::scheme::{Full, Ours, Registry, Scheme, Size, Visit};
use core::sync::atomic::Ordering;
use std::cell::Cell;
use std::sync::Arc;
use std::time::Instant;

/// The bare heavy fence, as a row.
pub const HEAVY_FENCE: &str = "heavy_fence";

thread_local! {
    /// Nanoseconds of this thread's heavy fences.
    static BARRIER: Cell<u64> = const { Cell::new(0) };
}

/// Runs `work`, and says how long the heavy fences in it took, nanoseconds.
pub(super) fn barrier_of(work: impl FnOnce()) -> u64 {
    let before = BARRIER.get();
    work();
    BARRIER.get() - before
}

/// The machine this program runs on, which times its heavy fences.
#[derive(Clone, Copy, Debug)]
pub struct Clocked;

impl Backend for Clocked {
    type U32 = <Native as Backend>::U32;
    type U64 = <Native as Backend>::U64;

    #[inline]
    fn fence(order: Ordering) {
        Native::fence(order);
    }

    #[inline]
    fn fence_after_rmw() {
        Native::fence_after_rmw();
    }

    #[inline]
    fn store_mb(word: &Self::U64, value: u64, order: Ordering) {
        Native::store_mb(word, value, order);
    }

    #[inline]
    fn light_fence() {
        Native::light_fence();
    }

    fn heavy_fence() {
        let start = Instant::now();
        Native::heavy_fence();
        BARRIER.set(BARRIER.get() + start.elapsed().as_nanos() as u64);
    }

    fn asymmetric() -> bool {
        Native::asymmetric()
    }

    fn wait(word: &Self::U32, expected: u32) {
        Native::wait(word, expected);
    }

    fn wake_all(word: &Self::U32) {
        Native::wake_all(word);
    }

    fn relax(turn: u32) {
        Native::relax(turn);
    }
}

/// Replaces those schemes of `field` that run on any backend by themselves on [`Clocked`], and adds
/// [`HEAVY_FENCE`].
pub(super) fn clock(field: &mut Field, threads: usize) {
    if field.runners.is_empty() {
        return;
    }
    let table = Arc::new(P2m::cycle(GOLDEN));
    let mut entry = Entry {
        field,
        table: Arc::clone(&table),
        threads,
    };
    Ours::each::<Clocked>(&mut entry);
    field.runners.push(Box::new(HeavyFence { table }));
}

struct Entry<'f> {
    field: &'f mut Field,
    table: Arc<P2m>,
    threads: usize,
}

impl Visit<Clocked> for Entry<'_> {
    fn visit<S: Scheme<Clocked>>(&mut self) {
        let mut runners = self.field.runners.iter_mut();
        if let Some(native) = runners.find(|runner| runner.name() == S::NAME) {
            *native = Box::new(OnClock {
                scheme: S::new(Size::readers(self.threads)),
                table: Arc::clone(&self.table),
            });
        }
    }
}

/// A scheme beside a bare table.
struct OnClock<S> {
    scheme: S,
    table: Arc<P2m>,
}

impl<S: Scheme<Clocked>> Contender for OnClock<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn worker(&self) -> Result<Box<dyn Worker + '_>, Full> {
        let site = TableSite::new(self.scheme.reader()?, &self.table);
        Ok(Box::new(SiteWorker::new(site, Workload::Hold)))
    }

    fn holds_per_op(&self) -> Option<f64> {
        None
    }

    fn tells_barrier(&self) -> bool {
        true
    }
}

/// The bare fence.
struct HeavyFence {
    table: Arc<P2m>,
}

/// Its worker: reads without protection, and suspends by the fence alone.
struct Fencer<T>(T);

impl Contender for HeavyFence {
    fn name(&self) -> &'static str {
        HEAVY_FENCE
    }

    fn worker(&self) -> Result<Box<dyn Worker + '_>, Full> {
        let reader = Scheme::<Clocked>::reader(&Unprotected)?;
        Ok(Box::new(Fencer(TableSite::new(reader, &self.table))))
    }

    fn holds_per_op(&self) -> Option<f64> {
        None
    }

    fn tells_barrier(&self) -> bool {
        true
    }
}

impl<T: Site> Worker for Fencer<T> {
    fn batch(&mut self, n: u64) -> u64 {
        super::workload::run(Workload::Hold, &self.0, n)
    }

    fn suspend(&mut self, during: &mut dyn FnMut()) {
        Clocked::heavy_fence();
        during();
    }

    fn attend(&mut self, watch: &Watch, reader: usize) {
        attend(&mut self.0, watch, reader);
    }
}
