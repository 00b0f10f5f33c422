//! `epoch` without its gate: RCU as it is.
//!
//! The suspender waits out a grace period, as `synchronize_rcu` does, and a reader that comes after
//! is not waited for, since in RCU it could no longer reach what is about to change. Here it can.

use super::toy::Protocol;
use ptom::backend::{Atomic, Backend};
use ptom::scheme::Size;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};

/// What a reader announces when it is outside.
const OUTSIDE: u64 = u64::MAX;

/// The protocol.
#[derive(Debug)]
pub(super) struct Rcu<B: Backend> {
    epoch: B::U64,
    announced: Vec<B::U64>,
}

impl<B: Backend> Protocol<B> for Rcu<B> {
    fn new(size: Size) -> Self {
        Self {
            epoch: B::U64::new(0),
            announced: (0..size.readers).map(|_| B::U64::new(OUTSIDE)).collect(),
        }
    }

    fn enter(&self, me: usize) {
        let epoch = self.epoch.load(Acquire);
        self.announced[me].store(epoch, Release);
        B::fence(SeqCst);
    }

    fn leave(&self, me: usize) {
        self.announced[me].store(OUTSIDE, Release);
    }

    fn suspend(&self, _: usize) {
        let next = self.epoch.load(Relaxed) + 1;
        self.epoch.store(next, Release);
        B::fence(SeqCst);
        for announced in &self.announced {
            while announced.load(Acquire) < next {
                B::relax(0);
            }
        }
    }

    fn resume(&self, _: usize) {}
}
