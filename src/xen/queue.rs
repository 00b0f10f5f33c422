//! A vCPU's queue of page-table updates, issued many at a time.
//!
//! A hypercall costs more than an update, so a guest collects them. What is queued is not done: an
//! MFN in a queue is as exposed as one in a register, so a queue's entries borrow the hold they were
//! translated in, and it must be empty before that ends.
//!
//! Source: NetBSD's `xpq_queue`, one a CPU, of 2,048 entries.

use super::access::Access;
use super::hypercall::{MmuUpdate, Refused};
use super::watch::Watch;
use crate::backend::Backend;
use alloc::vec::Vec;

/// Updates that fit: one hypercall's.
pub const QUEUE: usize = 2048;

/// Makes a call for each run of a list that one hypercall takes; returns how many calls that were.
///
/// # Errors
/// The first that is refused, with what was done of the whole list; the rest is not tried.
pub(crate) fn in_batches<T>(
    list: &[T],
    mut call: impl FnMut(&[T]) -> Result<(), Refused>,
) -> Result<u64, Refused> {
    let mut calls = 0;
    for (batch, updates) in list.chunks(QUEUE).enumerate() {
        call(updates).map_err(|refused| Refused {
            done: batch * QUEUE + refused.done,
            ..refused
        })?;
        calls += 1;
    }
    Ok(calls)
}

/// Updates that are not done yet.
#[derive(Debug)]
pub struct UpdateQueue<'g, B: Backend> {
    access: Access<'g, B>,
    updates: Vec<MmuUpdate<'g>>,
}

impl<'g, B: Backend> UpdateQueue<'g, B> {
    /// An empty queue, of the vCPU and for the hold that `access` is of.
    pub fn new(access: Access<'g, B>) -> Self {
        Self {
            access,
            updates: Vec::with_capacity(QUEUE),
        }
    }

    /// How many updates wait.
    pub fn len(&self) -> usize {
        self.updates.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.updates.is_empty()
    }

    /// Queues an update; a queue that it fills is flushed.
    ///
    /// # Errors
    /// Those of [`flush`](Self::flush).
    pub fn push(&mut self, update: MmuUpdate<'g>) -> Result<(), Refused> {
        self.updates.push(update);
        self.watch().queue();
        if self.updates.len() == QUEUE {
            return self.flush();
        }
        Ok(())
    }

    /// Issues all that waits, in order: one hypercall, or none.
    ///
    /// # Errors
    /// Xen's, at the first update refused. That one is dropped and those before it are done; those
    /// after it still wait, as in NetBSD, which then panics.
    pub fn flush(&mut self) -> Result<(), Refused> {
        let verdict = self.access.update_all(&self.updates);
        let waiting = self.updates.len();
        self.forget(verdict.map_or_else(|refused| refused.done + 1, |_| waiting));
        verdict.map(drop)
    }

    /// The first updates are no longer waiting.
    fn forget(&mut self, updates: usize) {
        self.updates.drain(..updates);
        self.watch().unqueue(updates);
    }

    fn watch(&self) -> &'g Watch<B> {
        &self.access.cpu.state.watch
    }
}

impl<B: Backend> Drop for UpdateQueue<'_, B> {
    fn drop(&mut self) {
        self.watch().unqueue(self.updates.len());
    }
}
