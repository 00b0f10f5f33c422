//! Two tables, one of which is current: what a library that frees nothing of ours protects.
//!
//! `current` is written by the one suspender at a time, who may rewrite the other table once a grace
//! period has passed since. Readers load it within their section and look nowhere else. So no
//! pointer of ours is freed, and no unsafe code is needed to read.

use crate::lab::measure::p2m::P2m;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

/// Two tables with the same entries, as after a cancelled suspend.
#[derive(Debug)]
pub struct Tables {
    tables: [P2m; 2],
    current: AtomicUsize,
}

impl Tables {
    /// Two copies of `table`.
    pub fn new(table: &Arc<P2m>) -> Self {
        Self {
            tables: [P2m::clone(table), P2m::clone(table)],
            current: AtomicUsize::new(0),
        }
    }

    /// The current one.
    #[inline]
    pub fn current(&self) -> &P2m {
        // ORDERING: Acquire pairs with the Release of `publish`: whoever sees the other table sees
        // its entries. If the load comes first it sees the old table, whose entries stay until the
        // grace period, which waits for this very section.
        &self.tables[self.current.load(Acquire) & 1]
    }

    /// Makes the other one current. One thread at a time.
    pub fn publish(&self) {
        let next = self.current.load(Relaxed) ^ 1;
        // ORDERING: Release pairs with the Acquire of `current`.
        self.current.store(next, Release);
    }
}
