//! `seqlock`: optimistic snapshots, and holds that exclude each other.
//!
//! A snapshot reads the sequence, runs, and runs again if a suspend came between: it writes no
//! shared word, and costs two loads. But it promises nothing afterwards, so an MFN read so may not
//! be given to a hypercall. Who must *use* an MFN takes the writer's lock, as Linux's
//! `read_seqlock_excl` does: two read-modify-writes on one shared word, **and one holder at a time**.
//! It does not nest.
//!
//! Source: Linux `seqlock_t`; Xen's `p2m_generation`. Fences after Boehm, "Can seqlocks get along
//! with programming language memory models?" (MSPC 2012).

use super::{Claims, Describe, Free, Full, Reader, Scheme, Size, Translate};
use crate::backend::{Atomic, Backend};
use crate::primitive::{Padded, Ticket, TicketGuard};
use core::cell::Cell;
use core::marker::PhantomData;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// A sequence count and the lock of those who write, or hold.
#[derive(Debug)]
pub struct SeqLock<B: Backend> {
    /// Odd while a suspend is under way; written under `exclusive`. A snapshot that 2^31 suspends
    /// overtake is not noticed.
    sequence: Padded<B::U32>,
    exclusive: Padded<Ticket<B>>,
}

impl<B: Backend> Describe for SeqLock<B> {
    const NAME: &'static str = "seqlock";
    const PRECEDENT: &'static str =
        "Linux seqlock_t (read_seqlock_excl to hold), Xen p2m_generation";
    const CLAIMS: Claims = Claims {
        holds: true,
        nests: false,
        bounded_wait: true,
        sleeps_in_hold: true,
        snapshot_free_of_writes: true,
        needs_quiescence: false,
        suspends_alone: true,
        drop_ends_leaks: false,
    };
}

/// A reader; there is nothing to register.
#[derive(Debug)]
pub struct SeqLockReader<'s, B: Backend> {
    scheme: &'s SeqLock<B>,
    not_sync: PhantomData<Cell<()>>,
}

/// The writer's lock, held to read.
#[derive(Debug)]
#[must_use = "dropping the guard ends the hold"]
pub struct SeqLockHold<'h, B: Backend>(#[allow(dead_code)] TicketGuard<'h, B>);

/// The writer's lock, and an odd sequence.
#[derive(Debug)]
#[must_use = "dropping the guard resumes"]
pub struct SeqLockSuspended<'r, B: Backend> {
    scheme: &'r SeqLock<B>,
    _exclusive: TicketGuard<'r, B>,
}

impl<B: Backend> Scheme<B> for SeqLock<B> {
    type Reader<'s> = SeqLockReader<'s, B>;

    fn new(_: Size) -> Self {
        Self {
            sequence: Padded(B::U32::new(0)),
            exclusive: Padded(Ticket::default()),
        }
    }

    fn reader(&self) -> Result<SeqLockReader<'_, B>, Full> {
        Ok(SeqLockReader {
            scheme: self,
            not_sync: PhantomData,
        })
    }
}

impl<B: Backend> Translate for SeqLockReader<'_, B> {
    type Hold<'h>
        = SeqLockHold<'h, B>
    where
        Self: 'h;

    #[inline]
    fn hold(&self) -> SeqLockHold<'_, B> {
        SeqLockHold(self.scheme.exclusive.0.lock())
    }
}

impl<B: Backend> Reader for SeqLockReader<'_, B> {
    type Suspended<'r>
        = SeqLockSuspended<'r, B>
    where
        Self: 'r;

    #[inline]
    fn snapshot<R>(&self, mut section: impl FnMut() -> R) -> R {
        let sequence = &self.scheme.sequence.0;
        loop {
            // ORDERING: Acquire pairs with the Release store in the suspender's drop: if that is
            // first, the section sees all that the suspend changed; if we are first, the second look
            // below sees the sequence moved, or the section saw none of it.
            let before = sequence.load(Acquire);
            if before & 1 != 0 {
                B::wait(sequence, before);
                continue;
            }
            let result = section();
            // ORDERING: Acquire pairs with the Release fence in `suspend`: if the section read
            // anything written after that fence, the load below sees the odd sequence before it; if
            // it read nothing of the kind, the snapshot is from before the suspend.
            B::fence(Acquire);
            if sequence.load(Relaxed) == before {
                return result;
            }
        }
    }

    fn suspend(&mut self) -> SeqLockSuspended<'_, B> {
        let scheme = self.scheme;
        let exclusive = scheme.exclusive.0.lock();
        let sequence = &scheme.sequence.0;
        sequence.store(sequence.load(Relaxed).wrapping_add(1), Relaxed);
        // ORDERING: Release pairs with the Acquire fence in `snapshot`; see there.
        B::fence(Release);
        SeqLockSuspended {
            scheme,
            _exclusive: exclusive,
        }
    }
}

impl<B: Backend> Translate for SeqLockSuspended<'_, B> {
    type Hold<'h>
        = Free
    where
        Self: 'h;

    fn hold(&self) -> Free {
        Free
    }
}

impl<B: Backend> Drop for SeqLockSuspended<'_, B> {
    fn drop(&mut self) {
        let sequence = &self.scheme.sequence.0;
        let even = sequence.load(Relaxed).wrapping_add(1);
        // ORDERING: Release pairs with the first load in `snapshot`; see there.
        sequence.store(even, Release);
        B::wake_all(sequence);
    }
}
