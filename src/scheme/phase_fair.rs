//! `phase_fair`: readers and suspenders take turns, phase by phase; the one lock here under which both
//! wait for a bounded time.
//!
//! A reader takes a ticket by adding to a word that all readers share. If a suspender is present there
//! it waits for that one suspend to end, and goes in, whether or not the next suspender waits already:
//! that one waits for it. So a reader waits for one suspend at most, and a suspender for the readers that came
//! before it and the suspenders in front of it. Under the gates a reader may lose to suspends back to back
//! for ever.
//!
//! Costs two atomic read-modify-writes a hold, on words that all CPUs share, as [`rwlock`](super::rwlock).
//! It does not nest: the inner hold waits for the suspender, who waits for the outer.
//!
//! # Words
//!
//! | word | written by | content |
//! |---|---|---|
//! | `arrived` | readers add `READER`; the suspender sets and clears the low bits | tickets of readers, `PRESENT` and `PHASE` |
//! | `left` | readers add `READER` | readers that have let go |
//! | `asked` | suspenders add 1 | tickets of suspenders |
//! | `served` | the suspender whose turn it is | suspenders that are through |
//!
//! Readers and the suspender meet on one word, `arrived`, by read-modify-writes alone. They have an
//! order: a reader that is first is in the suspender's ticket, and waited for; one that is second sees
//! `PRESENT`, and waits. So there is no store-load race and no fence.
//!
//! Source: Brandenburg and Anderson, "Spin-based reader-writer synchronization for multiprocessor
//! real-time systems" (2010), lock PF-T; Concurrency Kit `ck_pflock`. Theirs spin; here whoever waits for a
//! suspend or a suspender sleeps, and only the suspender polls for the readers.

use super::{Alone, Claims, Describe, Full, Reader, Scheme, Size, Translate};
use crate::backend::{Atomic, Backend};
use crate::primitive::Padded;
use core::cell::Cell;
use core::marker::PhantomData;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// The phase's parity: consecutive suspends differ in it, so that a reader can tell the one it waits for from
/// the next.
const PHASE: u32 = 1;
/// A suspender is there.
const PRESENT: u32 = 2;
/// What belongs to the suspender; the rest counts readers.
const SUSPENDER: u32 = PHASE | PRESENT;
/// One reader. 2^24 may be waiting at once; tickets wrap.
const READER: u32 = 0x100;

/// Two counts of readers, two of suspenders.
#[derive(Debug)]
pub struct PhaseFair<B: Backend> {
    arrived: Padded<B::U32>,
    left: Padded<B::U32>,
    asked: Padded<B::U32>,
    served: Padded<B::U32>,
}

impl<B: Backend> Describe for PhaseFair<B> {
    const NAME: &'static str = "phase_fair";
    const PRECEDENT: &'static str = "Brandenburg & Anderson PF-T, ck_pflock: phases take turns";
    const CLAIMS: Claims = Claims {
        holds: true,
        nests: false,
        bounded_wait: true,
        sleeps_in_hold: true,
        snapshot_free_of_writes: false,
        needs_quiescence: false,
        suspends_alone: true,
        drop_ends_leaks: false,
    };
}

/// A reader; there is nothing to register.
#[derive(Debug)]
pub struct PhaseFairReader<'s, B: Backend> {
    scheme: &'s PhaseFair<B>,
    not_sync: PhantomData<Cell<()>>,
}

/// A hold.
#[derive(Debug)]
#[must_use = "dropping the guard ends the hold"]
pub struct PhaseFairHold<'h, B: Backend>(&'h PhaseFair<B>);

/// The suspender's phase.
#[derive(Debug)]
#[must_use = "dropping it resumes"]
pub struct Phase<'r, B: Backend> {
    scheme: &'r PhaseFair<B>,
    ticket: u32,
}

impl<B: Backend> Scheme<B> for PhaseFair<B> {
    type Reader<'s> = PhaseFairReader<'s, B>;

    fn new(_: Size) -> Self {
        let word = || Padded(B::U32::new(0));
        Self {
            arrived: word(),
            left: word(),
            asked: word(),
            served: word(),
        }
    }

    fn reader(&self) -> Result<PhaseFairReader<'_, B>, Full> {
        Ok(PhaseFairReader {
            scheme: self,
            not_sync: PhantomData,
        })
    }
}

impl<B: Backend> PhaseFair<B> {
    /// Sleeps until the suspender that a reader found is gone.
    #[cold]
    fn wait_for(&self, found: u32) {
        let arrived = &self.arrived.0;
        loop {
            // ORDERING: Acquire pairs with the Release by which the suspender clears its bits: who sees them
            // changed sees what it did. The word changes only by read-modify-writes, so that holds whatever
            // came in between. If we look first, we see them, and wait.
            let seen = arrived.load(Acquire);
            if seen & SUSPENDER != found {
                return;
            }
            B::wait(arrived, seen);
        }
    }

    /// Sleeps until all suspenders in front are through.
    fn wait_turn(&self, ticket: u32) {
        let served = &self.served.0;
        loop {
            // ORDERING: Acquire pairs with the Release in `Phase`'s drop: we see what the suspender before us
            // did, its bits cleared among it. If we look first, it is not our turn yet.
            let seen = served.load(Acquire);
            if seen == ticket {
                return;
            }
            B::wait(served, seen);
        }
    }
}

impl<B: Backend> Translate for PhaseFairReader<'_, B> {
    type Hold<'h>
        = PhaseFairHold<'h, B>
    where
        Self: 'h;

    #[inline]
    fn hold(&self) -> PhaseFairHold<'_, B> {
        let scheme = self.scheme;
        // ORDERING: Acquire pairs with the Release by which the last suspender cleared its bits; see `wait_for`.
        // If that one comes after us, it waits for us.
        let found = scheme.arrived.0.fetch_add(READER, Acquire) & SUSPENDER;
        if found != 0 {
            scheme.wait_for(found);
        }
        PhaseFairHold(scheme)
    }
}

impl<B: Backend> Drop for PhaseFairHold<'_, B> {
    #[inline]
    fn drop(&mut self) {
        // ORDERING: Release pairs with the Acquire in `suspend`: whoever counts us out sees all that the hold
        // did. If the suspender looks first, it counts one less, and looks again.
        self.0.left.0.fetch_add(READER, Release);
    }
}

impl<B: Backend> Reader for PhaseFairReader<'_, B> {
    type Suspended<'r>
        = Alone<Phase<'r, B>>
    where
        Self: 'r;

    fn suspend(&mut self) -> Alone<Phase<'_, B>> {
        let scheme = self.scheme;
        let ticket = scheme.asked.0.fetch_add(1, Relaxed);
        scheme.wait_turn(ticket);
        let mine = PRESENT | (ticket & PHASE);
        // Relaxed: it takes its place among the readers' read-modify-writes, and that order is all it needs.
        let before = scheme.arrived.0.fetch_add(mine, Relaxed) & !SUSPENDER;
        let mut turn = 0;
        // ORDERING: Acquire pairs with the Release in `PhaseFairHold`'s drop, of each reader that has left: the
        // word changes only by read-modify-writes. See there.
        while scheme.left.0.load(Acquire) != before {
            B::relax(turn);
            turn = turn.saturating_add(1);
        }
        Alone(Phase { scheme, ticket })
    }
}

impl<B: Backend> Drop for Phase<'_, B> {
    fn drop(&mut self) {
        let scheme = self.scheme;
        // ORDERING: Release pairs with the Acquire in `hold` and `wait_for`; see there.
        scheme.arrived.0.fetch_and(!SUSPENDER, Release);
        B::wake_all(&scheme.arrived.0);
        // ORDERING: Release pairs with the Acquire in `wait_turn`; see there.
        scheme.served.0.store(self.ticket.wrapping_add(1), Release);
        B::wake_all(&scheme.served.0);
    }
}
