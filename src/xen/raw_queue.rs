//! Queues of page-table updates that outlive the hold they were filled in, one a vCPU.
//!
//! This is what a real kernel has: it queues an update, goes on, and issues what has gathered some time
//! later. In between the MFNs of both sides lie in plain memory, where no hold keeps them true and no
//! tool looks. [`UpdateQueue`](super::UpdateQueue) forbids it by its type; here it is allowed, and so
//! **every vCPU's queue must be flushed before a suspend** ([`flush_all`](RawQueues::flush_all)), after
//! exclusivity and before the hypercall. Then the next incarnation finds them empty.
//!
//! A vCPU fills and flushes its own queue, in a hold; the suspender flushes them all while there is
//! none. So the words need no lock: the scheme is between them.
//!
//! Source: NetBSD `xpq_queue`, `xpq_flush_queue`: one a CPU; NetBSD flushes that of the suspending CPU.

use super::access::Access;
use super::domid::Owns;
use super::guest::Guest;
use super::hypercall::{Command, Errno, MmuUpdate, Refused};
use super::number::{PAGE_SHIFT, RawMfn, Stamp};
use super::oracle::Verdict;
use super::pte::Pte;
use super::queue::{QUEUE, in_batches};
use crate::backend::{Atomic, Backend};
use crate::primitive::Padded;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::Ordering::Relaxed;

#[derive(Debug)]
struct Entry<B: Backend> {
    ptr: B::U64,
    val: B::U64,
    /// Suspends survived when it was queued: the oracle's note, which no real queue has.
    since: B::U64,
}

#[derive(Debug)]
struct Queue<B: Backend> {
    len: B::U64,
    entries: Box<[Entry<B>]>,
}

/// The queues, by vCPU.
#[derive(Debug)]
pub struct RawQueues<B: Backend> {
    queues: Box<[Padded<Queue<B>>]>,
}

impl<B: Backend> RawQueues<B> {
    /// An empty queue of 2,048 entries for each vCPU that the guest may have: 48 KiB each.
    pub fn new(guest: &Guest<B>) -> Self {
        let entry = |_| Entry {
            ptr: B::U64::new(0),
            val: B::U64::new(0),
            since: B::U64::new(0),
        };
        let queue = |_| {
            Padded(Queue {
                len: B::U64::new(0),
                entries: (0..QUEUE).map(entry).collect(),
            })
        };
        Self {
            queues: (0..guest.domain().max_vcpus()).map(queue).collect(),
        }
    }

    /// How many updates wait, over all vCPUs. Exact while none runs.
    pub fn len(&self) -> usize {
        let lens = self.queues.iter().map(|queue| queue.0.len.load(Relaxed));
        lens.sum::<u64>() as usize
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Queues an ordinary update on the calling vCPU; flushes first if its queue is full. From here on
    /// nothing keeps its MFNs true: they are at rest.
    ///
    /// # Errors
    /// Those of [`flush`](Self::flush).
    pub fn push(&self, access: Access<'_, B>, update: MmuUpdate<'_>) -> Result<(), Refused> {
        let queue = &self.queues[access.vcpu()].0;
        if queue.len.load(Relaxed) as usize == QUEUE {
            self.flush(access)?;
        }
        let len = queue.len.load(Relaxed);
        let entry = &queue.entries[len as usize];
        entry.ptr.store(update.ptr.raw(), Relaxed);
        entry.val.store(update.val.pte.0, Relaxed);
        let suspends = access.guest().domain().suspends();
        entry.since.store(suspends, Relaxed);
        queue.len.store(len + 1, Relaxed);
        access.cpu.state.watch.queue();
        Ok(())
    }

    /// Issues what waits on the calling vCPU: one hypercall, or none.
    ///
    /// # Errors
    /// Xen's, at the first update refused: that one is dropped, those after it still wait. NetBSD
    /// panics then.
    pub fn flush(&self, access: Access<'_, B>) -> Result<(), Refused> {
        self.flush_one(access, access.vcpu())
    }

    /// Issues what waits on any vCPU: a hypercall for each whose queue is not empty. For the suspender,
    /// while nobody holds.
    ///
    /// # Errors
    /// Xen's first refusal; the other queues are flushed all the same.
    pub fn flush_all(&self, access: Access<'_, B>) -> Result<(), Refused> {
        let flushed = (0..self.queues.len()).map(|vcpu| self.flush_one(access, vcpu));
        flushed.fold(Ok(()), Result::and)
    }

    /// Issues what waits on one vCPU, from this one.
    fn flush_one(&self, access: Access<'_, B>, vcpu: usize) -> Result<(), Refused> {
        let queue = &self.queues[vcpu].0;
        let waiting = queue.waiting();
        let verdict = in_batches(&waiting, |batch| issue(access, batch));
        let done = verdict.map_or_else(|refused| refused.done + 1, |_| waiting.len());
        queue.keep(&waiting[done..]);
        let watch = &access.guest().domain().vcpus.get(vcpu).watch;
        watch.unqueue(done);
        verdict.map(drop)
    }
}

impl<B: Backend> Queue<B> {
    /// What waits: each entry's words.
    fn waiting(&self) -> Vec<[u64; 3]> {
        let len = self.len.load(Relaxed) as usize;
        let words = |entry: &Entry<B>| {
            [&entry.ptr, &entry.val, &entry.since].map(|word| word.load(Relaxed))
        };
        self.entries[..len].iter().map(words).collect()
    }

    /// Only this waits now.
    fn keep(&self, rest: &[[u64; 3]]) {
        for (entry, [ptr, val, since]) in self.entries.iter().zip(rest) {
            entry.ptr.store(*ptr, Relaxed);
            entry.val.store(*val, Relaxed);
            entry.since.store(*since, Relaxed);
        }
        self.len.store(rest.len() as u64, Relaxed);
    }
}

/// The hypercall: numbers at rest go in, and Xen takes them for what they are now.
fn issue<B: Backend>(access: Access<'_, B>, waiting: &[[u64; 3]]) -> Result<(), Refused> {
    access.cpu.hypercall(|cpu| {
        for (done, [ptr, val, since]) in waiting.iter().enumerate() {
            if Stamp::of(*since).stale(cpu.domain().stamp()) {
                cpu.tally.count(Verdict::StaleUse);
            }
            let place = (RawMfn(ptr >> PAGE_SHIFT), (ptr & 0xfff) as usize / 8);
            let refused = |errno: Errno| Refused { errno, done };
            cpu.update_one(Owns::Guest, place, Command::Normal, Pte(*val))
                .map_err(refused)?;
        }
        Ok(())
    })
}
