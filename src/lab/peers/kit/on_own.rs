//! A peer that owns its table, as a contender.

use super::super::{Order, Peer};
use crate::lab::measure::contender::{Contender, SiteWorker, Worker};
use crate::lab::measure::site::Site;
use crate::lab::sample::Workload;
use crate::scheme::Full;

/// A library's way of protecting a table that it owns; shared by all threads.
pub trait Protection: Send + Sync + Sized + 'static {
    /// One thread's part. Its `suspend` calls back only once the grace period is over, and not at
    /// all if that is not so within [`PATIENCE`](super::PATIENCE).
    type Site<'s>: Site;

    /// A protected copy of the order's table.
    fn new(order: &Order<'_>) -> Self;

    /// Registers the calling thread.
    fn site(&self) -> Self::Site<'_>;
}

/// A protection and a workload, ready to be run.
#[derive(Debug)]
pub struct OnOwn<P> {
    peer: &'static Peer,
    protection: P,
    workload: Workload,
}

/// The contender of a protection: what [`Peer::make`] is for most peers.
pub fn contender<P: Protection>(peer: &'static Peer, order: &Order<'_>) -> Box<dyn Contender> {
    Box::new(OnOwn {
        peer,
        protection: P::new(order),
        workload: order.workload,
    })
}

impl<P: Protection> Contender for OnOwn<P> {
    fn name(&self) -> &'static str {
        self.peer.name
    }

    fn worker(&self) -> Result<Box<dyn Worker + '_>, Full> {
        let site = self.protection.site();
        Ok(Box::new(SiteWorker::new(site, self.workload)))
    }

    fn holds_per_op(&self) -> Option<f64> {
        None
    }
}
