//! A reader thread: it holds, looks, lets go, and judges what it saw.

use super::cold::Cold;
use super::marks::{Mark, Marks, Quota};
use super::oracle::{Look, Past};
use super::outcome::Outcome;
use super::payload::Payload;
use super::plan::{COLD, NEST, REGISTER, SNAPSHOT};
use crate::backend::Backend;
use crate::scheme::{Reader, Scheme, Translate};
use fastrand::Rng;
use std::sync::atomic::Ordering::{Relaxed, Release};

/// One reader thread of a stress.
pub(super) struct Holder<'a, S, P> {
    pub(super) scheme: &'a S,
    pub(super) payload: &'a P,
    pub(super) marks: &'a Marks,
    pub(super) mark: &'a Mark,
    pub(super) rng: Rng,
    pub(super) past: Past,
    pub(super) cold: Cold,
    pub(super) outcome: Outcome,
}

impl<S, P: Payload> Holder<'_, S, P> {
    /// Holds until `limit` holds have been taken from the quota.
    pub(super) fn run<B: Backend>(mut self, quota: &Quota, limit: u64) -> Outcome
    where
        S: Scheme<B>,
    {
        let mut reader = register(self.scheme);
        while let Some(batch) = quota.take(limit) {
            for _ in 0..batch {
                if self.rng.u32(..REGISTER) == 0 {
                    drop(reader);
                    reader = register(self.scheme);
                    self.outcome.registered += 1;
                }
                self.hold::<B>(&reader);
                self.quiesce::<B>(&mut reader);
                if self.rng.u32(..SNAPSHOT) == 0 && can_snapshot::<B, S, P>() {
                    self.snapshot::<B>(&reader);
                    self.quiesce::<B>(&mut reader);
                }
            }
        }
        drop(reader);
        self.mark.finished.store(true, Relaxed);
        self.outcome
    }

    /// Says that nothing is held; where that is what a suspend waits for, it is the hold that waits for the suspend.
    fn quiesce<B: Backend>(&mut self, reader: &mut S::Reader<'_>)
    where
        S: Scheme<B>,
    {
        let changed = self.marks.changed.0.load(Relaxed);
        reader.quiescent();
        let waited = S::CLAIMS.needs_quiescence && self.marks.changed.0.load(Relaxed) > changed;
        self.outcome.waited_holds += u64::from(waited);
    }

    #[inline]
    fn hold<B: Backend>(&mut self, reader: &S::Reader<'_>)
    where
        S: Scheme<B>,
    {
        self.outcome.holds += 1;
        let number = self.outcome.holds;
        let resumed = self.marks.resumed.0.load(Relaxed);
        self.mark.entered.store(number, Relaxed);
        if self.rng.u32(..COLD) == 0 {
            self.cold.fill(&mut self.rng);
        }
        let changed = self.marks.changed.0.load(Relaxed);
        let hold = reader.hold();
        let mut look = self.look::<B>();
        if S::CLAIMS.nests && self.rng.u32(..NEST) == 0 {
            self.outcome.nested += 1;
            let inner = reader.hold();
            look = look.and(self.look::<B>());
            // Guards may go in any order.
            if self.rng.bool() {
                drop(inner);
                look = look.and(self.look::<B>());
                drop(hold);
            } else {
                drop(hold);
                look = look.and(self.look::<B>());
                drop(inner);
            }
        } else {
            drop(hold);
        }
        // Nobody acquires it: see `marks`.
        self.mark.left.store(number, Release);
        // A whole suspended section, or its end, lay between the call and the hold.
        self.outcome.waited_holds += u64::from(look.value > changed);
        self.judge(look, resumed);
    }

    fn snapshot<B: Backend>(&mut self, reader: &S::Reader<'_>)
    where
        S: Scheme<B>,
    {
        self.outcome.snapshots += 1;
        let resumed = self.marks.resumed.0.load(Relaxed);
        let look = reader.snapshot(|| self.look::<B>());
        self.judge(look, resumed);
    }

    fn look<B: Backend>(&mut self) -> Look
    where
        S: Scheme<B>,
    {
        Look::at(self.payload, &mut self.rng, S::CLAIMS.sleeps_in_hold)
    }

    fn judge(&mut self, look: Look, resumed: u64) {
        self.outcome.torn += u64::from(look.torn);
        self.outcome.stale += u64::from(self.past.is_stale(look.value, resumed));
    }
}

/// An optimistic snapshot reads while the suspender writes, which plain memory does not allow.
fn can_snapshot<B: Backend, S: Scheme<B>, P: Payload>() -> bool {
    P::ATOMIC || !S::CLAIMS.snapshot_free_of_writes
}

/// Registers; there is a slot for each thread.
pub(super) fn register<B: Backend, S: Scheme<B>>(scheme: &S) -> S::Reader<'_> {
    scheme.reader().expect("a slot for each thread")
}
