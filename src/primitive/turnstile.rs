//! Where threads sleep that wait for a [`KRwLock`](super::KRwLock): NetBSD's turnstile.
//!
//! As in the kernel, a thread brings one place to sleep, so a turnstile has one sleeper a registered
//! reader, whatever the number of locks. Every field of a [`Sleeper`] but `asleep` is read and
//! written under the interlock; `asleep` is set by its owner under the interlock and cleared by
//! whoever wakes it.
//!
//! Left out: priority inheritance, which needs a scheduler. Source: NetBSD `kern_turnstile.c`.

use super::{Padded, Ticket, TicketGuard};
use crate::backend::{Atomic, Backend};
use alloc::boxed::Box;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// The two queues of a turnstile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Threads that want to share the lock.
    Reader = 1,
    /// Threads that want it alone.
    Writer = 2,
}

#[derive(Debug)]
struct Sleeper<B: Backend> {
    /// 0, or the [`Queue`] it waits in.
    queue: B::U32,
    /// Which lock it waits for.
    lock: B::U64,
    /// When it came, to tell the longest waiting.
    ticket: B::U64,
    /// 1 while it must sleep.
    asleep: B::U32,
}

/// The sleepers of all locks of one scheme.
#[derive(Debug)]
pub struct Turnstile<B: Backend> {
    interlock: Ticket<B>,
    /// The next ticket; under the interlock.
    clock: B::U64,
    sleepers: Box<[Padded<Sleeper<B>>]>,
}

/// A turnstile whose interlock is held: nobody joins or leaves a queue.
#[derive(Debug)]
#[must_use = "dropping it releases the interlock"]
pub struct Locked<'t, B: Backend> {
    all: &'t Turnstile<B>,
    interlock: TicketGuard<'t, B>,
}

impl<B: Backend> Turnstile<B> {
    /// Room for `threads` sleepers.
    pub fn new(threads: usize) -> Self {
        let sleeper = |_| {
            Padded(Sleeper {
                queue: B::U32::new(0),
                lock: B::U64::new(0),
                ticket: B::U64::new(0),
                asleep: B::U32::new(0),
            })
        };
        Self {
            interlock: Ticket::default(),
            clock: B::U64::new(0),
            sleepers: (0..threads).map(sleeper).collect(),
        }
    }

    /// Takes the interlock.
    pub fn lookup(&self) -> Locked<'_, B> {
        Locked {
            interlock: self.interlock.lock(),
            all: self,
        }
    }
}

impl<B: Backend> Locked<'_, B> {
    fn waiting(&self, lock: u64, queue: Queue) -> impl Iterator<Item = (usize, &Sleeper<B>)> {
        let here = move |s: &Sleeper<B>| {
            s.queue.load(Relaxed) == queue as u32 && s.lock.load(Relaxed) == lock
        };
        let all = self.all.sleepers.iter().map(|s| &s.0).enumerate();
        all.filter(move |(_, s)| here(s))
    }

    /// How many threads wait in a queue of a lock.
    pub fn waiters(&self, lock: u64, queue: Queue) -> u64 {
        self.waiting(lock, queue).count() as u64
    }

    /// The thread that has waited longest in a queue of a lock.
    pub fn longest(&self, lock: u64, queue: Queue) -> Option<usize> {
        let by_ticket = |(_, s): &(usize, &Sleeper<B>)| s.ticket.load(Relaxed);
        self.waiting(lock, queue).min_by_key(by_ticket).map(|w| w.0)
    }

    /// Puts thread `me` into a queue of a lock, releases the interlock, and sleeps until woken.
    pub fn block(self, me: usize, lock: u64, queue: Queue) {
        let sleeper = &self.all.sleepers[me].0;
        let ticket = self.all.clock.load(Relaxed);
        self.all.clock.store(ticket + 1, Relaxed);
        sleeper.ticket.store(ticket, Relaxed);
        sleeper.lock.store(lock, Relaxed);
        sleeper.queue.store(queue as u32, Relaxed);
        sleeper.asleep.store(1, Relaxed);
        drop(self.interlock);
        // ORDERING: Acquire pairs with the Release in `wake`: what the waker did before it handed
        // the lock over, we see. If we look first, we see ourselves asleep, and wait.
        while sleeper.asleep.load(Acquire) == 1 {
            B::wait(&sleeper.asleep, 1);
        }
    }

    /// Takes one thread out of its queue and lets it run.
    pub fn wake(&self, thread: usize) {
        let sleeper = &self.all.sleepers[thread].0;
        sleeper.queue.store(0, Relaxed);
        // ORDERING: Release pairs with the Acquire in `block`; see there.
        sleeper.asleep.store(0, Release);
        B::wake_all(&sleeper.asleep);
    }

    /// Wakes every thread in a queue of a lock.
    pub fn wake_queue(&self, lock: u64, queue: Queue) {
        while let Some(thread) = self.longest(lock, queue) {
            self.wake(thread);
        }
    }
}
