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
//! When it was last done before it had to wait is reckoned by `hot` where readers never pause, and
//! stamped exactly by `pace` where they do; `Watch::met` bounds it by what is sure: no earlier than the call, and,
//! if no hold saw "exclusive", no later than t2.
//!
//! A suspend that readers starve would never return, so after [`STARVED`] they give way: they hold no
//! more until it has come and gone, and it is counted, not timed.
//!
//! `phase` is written by the suspender; a reply by its reader, `serial` last; `rhythm` by the leader
//! while nobody attends; `starved` raised by readers, cleared by the suspender between suspends.

use super::hot;
use super::pace;
use super::rhythm::Rhythm;
use super::site::Site;
use super::wait::{lock, pause};
use crate::primitive::Padded;
use std::sync::Mutex;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::time::{Duration, Instant};

/// Low bits of the phase; above them is the number of the suspend, from 1.
pub(super) const ASKED: u64 = 1;
pub(super) const EXCLUSIVE: u64 = 2;
pub(super) const RESUMING: u64 = 3;
pub(super) const STAGE: u64 = 3;
/// The readers may go home.
pub(super) const END: u64 = u64::MAX;

/// A suspend that took so long is starved by its readers.
pub const STARVED: Duration = Duration::from_secs(1);

/// The shared words; times are nanoseconds since it was made.
#[derive(Debug)]
pub struct Watch {
    origin: Instant,
    phase: Padded<AtomicU64>,
    replies: Box<[Padded<Reply>]>,
    rhythm: Mutex<Rhythm>,
    /// Readers that gave way to the suspend under way.
    starved: AtomicU64,
}

/// What a reader says after a suspend.
#[derive(Debug, Default)]
struct Reply {
    /// The suspend it is about.
    serial: AtomicU64,
    /// t4; 0 if the reader did not wait.
    first_after: AtomicU64,
    /// When it was last done before that.
    last_before: AtomicU64,
    /// Whether that may be after the suspender was exclusive, as it is a stamp, or nobody was excluded:
    /// 1 if so.
    later: AtomicU64,
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
            rhythm: Mutex::new(Rhythm::HOT),
            starved: AtomicU64::new(0),
        }
    }

    /// Nanoseconds since it was made.
    pub fn now(&self) -> u64 {
        self.origin.elapsed().as_nanos() as u64
    }

    /// Makes it ready, while nobody attends; the readers will hold in that rhythm.
    pub fn begin(&self, rhythm: Rhythm) {
        *lock(&self.rhythm) = rhythm;
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
        self.starved.store(0, Relaxed);
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

    /// Whether readers had to give way to the last suspend.
    pub fn was_starved(&self) -> bool {
        self.starved.load(Relaxed) > 0
    }

    /// The stage and number of the suspend under way.
    pub(super) fn phase(&self) -> u64 {
        self.phase.0.load(Relaxed)
    }

    /// For a reader between holds: if the suspend that was asked for at `since` starves, holds nothing
    /// until `phase` is over.
    #[cold]
    pub(super) fn give_way(&self, site: &mut impl Site, phase: u64, since: u64) {
        if self.now() < since + STARVED.as_nanos() as u64 {
            return;
        }
        self.starved.fetch_add(1, Relaxed);
        let mut turn = 0u32;
        while self.phase() == phase {
            site.quiescent();
            pause(turn);
            turn = turn.saturating_add(1);
        }
    }

    /// A reader's answer: when it was last done before suspend `serial`, and first after it.
    pub(super) fn reply(&self, reader: usize, serial: u64, times: (u64, u64), later: bool) {
        let reply = &self.replies[reader].0;
        reply.last_before.store(times.0, Relaxed);
        reply.first_after.store(times.1, Relaxed);
        reply.later.store(u64::from(later), Relaxed);
        // ORDERING: Release pairs with the Acquire in `met`.
        reply.serial.store(serial, Release);
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
            // ORDERING: Acquire pairs with the Release in `reply`: the stamps are this suspend's.
            while reply.0.serial.load(Acquire) < serial {
                pause(turn);
                turn = turn.saturating_add(1);
            }
            let after = reply.0.first_after.load(Relaxed);
            let latest = match reply.0.later.load(Relaxed) {
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

/// A reader: holds, translates and lets go, in the watch's rhythm, until the watch ends.
pub fn attend(site: &mut impl Site, watch: &Watch, reader: usize) {
    let rhythm = *lock(&watch.rhythm);
    if rhythm == Rhythm::HOT {
        hot::attend(site, watch, reader);
    } else {
        pace::attend(site, watch, reader, rhythm);
    }
}
