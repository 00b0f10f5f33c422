//! What a suspender and the readers that it stops tell each other.
//!
//! A clock read costs more than a hold, so a reader that stamped every operation would mostly read
//! the clock, and seldom be inside when the suspender comes. Here a reader's loop has one load more:
//! of the `phase`, which the suspender moves three times a suspend:
//!
//! | phase of the k-th suspend | the suspender moves it |
//! |---|---|
//! | asked | a few microseconds before it is due: the reader stamps the clock, and goes on counting |
//! | exclusive | after `suspend()` returned, t2 |
//! | resuming | just before the guard's drop, t3 |
//!
//! The reader loads it **within its hold**. A hold that sees "resuming" has begun after the suspend,
//! since none is live between t2 and t3: so its operation is the first after release, and the reader
//! stamps t4 when it is done. (A scheme that excludes nobody, as the control, sees "exclusive", too.)
//!
//! When it was last done before it had to wait is not stamped but counted: the operations since the
//! first stamp, at the best speed that the same reader had between suspends (so a stall is rather too
//! long than too short). That is an estimate; what bounds it is sure: no earlier than the call, and, if
//! no hold saw "exclusive", no later than t2.
//!
//! `phase` is written by the suspender; a reply by its reader, `serial` last.

use super::site::Site;
use super::wait::pause;
use super::workload::{GOLDEN, SHIFT};
use crate::primitive::Padded;
use std::hint::black_box;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::time::Instant;

/// Low bits of the phase; above them is the number of the suspend, from 1.
const ASKED: u64 = 1;
const EXCLUSIVE: u64 = 2;
const RESUMING: u64 = 3;
const STAGE: u64 = 3;
/// The readers may go home.
const END: u64 = u64::MAX;

/// The shared words; times are nanoseconds since it was made.
#[derive(Debug)]
pub struct Watch {
    origin: Instant,
    phase: Padded<AtomicU64>,
    replies: Box<[Padded<Reply>]>,
}

/// What a reader says after a suspend.
#[derive(Debug, Default)]
struct Reply {
    /// The suspend it is about.
    serial: AtomicU64,
    /// t4.
    first_after: AtomicU64,
    /// When it was last done before that.
    last_before: AtomicU64,
    /// Whether it held while the suspender was exclusive: 1 if so.
    overtook: AtomicU64,
}

/// When the readers were last done before a suspend, and first done after it.
#[derive(Clone, Copy, Debug)]
pub struct Met {
    /// The slowest reader's first completed operation.
    pub first_after: u64,
    /// The longest that any reader had none, from no earlier than the suspend was asked for.
    pub stall: u64,
}

impl Watch {
    /// For so many readers.
    pub fn new(readers: usize) -> Self {
        Self {
            origin: Instant::now(),
            phase: Padded::default(),
            replies: (0..readers).map(|_| Padded::default()).collect(),
        }
    }

    /// Nanoseconds since it was made.
    pub fn now(&self) -> u64 {
        self.origin.elapsed().as_nanos() as u64
    }

    /// Makes it ready, while nobody attends.
    pub fn begin(&self) {
        self.phase.0.store(0, Relaxed);
        for reply in &self.replies {
            reply.0.serial.store(0, Relaxed);
        }
    }

    /// Sends the readers home.
    pub fn end(&self) {
        self.phase.0.store(END, Relaxed);
    }

    /// Announces suspend `serial`.
    pub fn asked(&self, serial: u64) {
        self.phase.0.store(serial << 2 | ASKED, Relaxed);
    }

    /// `suspend()` has returned.
    pub fn exclusive(&self, serial: u64) {
        self.phase.0.store(serial << 2 | EXCLUSIVE, Relaxed);
    }

    /// The guard is about to be dropped. Relaxed: what orders it before the readers that go on is
    /// the very release that the scheme owes them.
    pub fn resuming(&self, serial: u64) {
        self.phase.0.store(serial << 2 | RESUMING, Relaxed);
    }

    /// Waits until every reader has gone on after suspend `serial`, which was called at `called` and
    /// exclusive at `exclusive`.
    pub fn met(&self, serial: u64, called: u64, exclusive: u64) -> Met {
        let mut met = Met {
            first_after: 0,
            stall: 0,
        };
        for reply in &self.replies {
            let mut turn = 0;
            // ORDERING: Acquire pairs with the Release in `attend`: the stamps are this suspend's.
            while reply.0.serial.load(Acquire) < serial {
                pause(turn);
                turn = turn.saturating_add(1);
            }
            let after = reply.0.first_after.load(Relaxed);
            let latest = match reply.0.overtook.load(Relaxed) {
                0 => exclusive,
                _ => after,
            };
            let before = reply.0.last_before.load(Relaxed).max(called).min(latest);
            met.first_after = met.first_after.max(after);
            met.stall = met.stall.max(after.saturating_sub(before));
        }
        met
    }
}

/// A reader: holds, translates and lets go until the watch ends.
#[inline(never)]
pub fn attend(site: &mut impl Site, watch: &Watch, reader: usize) {
    let reply = &watch.replies[reader].0;
    let (mut x, mut sum, mut seen, mut ops) = (0u64, 0u64, 0u64, 0u64);
    let mut overtook = 0;
    let (mut stamp, mut pace) = (watch.now(), f64::INFINITY);
    loop {
        x = x.wrapping_add(GOLDEN);
        let phase = site.with(x >> SHIFT, |mfn| {
            sum = sum.wrapping_add(mfn.unwrap_or(0));
            watch.phase.0.load(Relaxed)
        });
        site.quiescent();
        ops += 1;
        if phase == seen {
            continue;
        }
        seen = phase;
        if phase == END {
            break;
        }
        match phase & STAGE {
            ASKED => {
                let now = watch.now();
                pace = pace.min((now - stamp) as f64 / ops as f64);
                (stamp, ops, overtook) = (now, 0, 0);
            }
            EXCLUSIVE => overtook = 1,
            RESUMING => {
                let now = watch.now();
                // This operation is the first after; the ones before it took their usual time.
                let since = if pace.is_finite() {
                    (ops - 1) as f64 * pace
                } else {
                    0.0
                };
                let last = stamp + since as u64;
                reply.first_after.store(now, Relaxed);
                reply.last_before.store(last.min(now), Relaxed);
                reply.overtook.store(overtook, Relaxed);
                // ORDERING: Release pairs with the Acquire in `met`.
                reply.serial.store(phase >> 2, Release);
                (stamp, ops, overtook) = (now, 0, 0);
            }
            _ => {}
        }
    }
    black_box(sum);
}
