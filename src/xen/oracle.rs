//! The stale-use oracle: what it counts, and where.
//!
//! A scheme is sound if no MFN is used in another incarnation than the one it was translated in. The
//! machine checks that at every hypercall, independently of the scheme:
//!
//! * **stale use**: an argument's stamp is not the present incarnation's;
//! * **wrong frame**: the PFN the caller meant is not what the M2P says the frame is.
//!
//! Two verdicts, since either can be right by luck: a stale number may still name the right frame
//! (the first one sees it), and a stamp may be forged by a value that never had one (the second does).
//!
//! A tally is its vCPU's own, on its own cache lines; the totals are summed when asked for.

use crate::backend::{Atomic, Backend};
use core::sync::atomic::Ordering::Relaxed;

/// What can be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Verdict {
    /// A hypercall entered.
    Hypercall,
    /// It was refused.
    Refused,
    /// An argument was from another incarnation.
    StaleUse,
    /// An argument named a frame that is not the one meant.
    WrongFrame,
    /// A PTE was read while a restore rewrote it: its stamp is a guess.
    RacedRead,
    /// The guest touched memory that is not there: a page fault in its kernel.
    Fault,
    /// A snapshot returned values of two incarnations.
    TornSnapshot,
}

const COUNTERS: usize = Verdict::TornSnapshot as usize + 1;

/// The counts of one vCPU; written by its owner only.
#[derive(Debug)]
pub struct Tally<B: Backend> {
    counts: [B::U64; COUNTERS],
}

impl<B: Backend> Tally<B> {
    pub(super) fn new() -> Self {
        Self {
            counts: core::array::from_fn(|_| B::U64::new(0)),
        }
    }

    /// One more. Not atomic: a tally has one writer.
    #[inline]
    pub(super) fn count(&self, what: Verdict) {
        let counter = &self.counts[what as usize];
        counter.store(counter.load(Relaxed) + 1, Relaxed);
    }

    pub(super) fn add_to(&self, sum: &mut Verdicts) {
        let read = |what: Verdict| self.counts[what as usize].load(Relaxed);
        sum.hypercalls += read(Verdict::Hypercall);
        sum.refused += read(Verdict::Refused);
        sum.stale_uses += read(Verdict::StaleUse);
        sum.wrong_frame += read(Verdict::WrongFrame);
        sum.raced_reads += read(Verdict::RacedRead);
        sum.faults += read(Verdict::Fault);
        sum.torn_snapshots += read(Verdict::TornSnapshot);
    }
}

/// The counts of all vCPUs. For a sound scheme all but the first are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdicts {
    /// Hypercalls made.
    pub hypercalls: u64,
    /// Hypercalls refused.
    pub refused: u64,
    /// Arguments from another incarnation.
    pub stale_uses: u64,
    /// Arguments that named another frame than the one meant.
    pub wrong_frame: u64,
    /// PTEs read while a restore rewrote them.
    pub raced_reads: u64,
    /// Touches of memory that is not there.
    pub faults: u64,
    /// Snapshots of two incarnations.
    pub torn_snapshots: u64,
}

impl Verdicts {
    /// Whether nothing was ever wrong.
    pub fn clean(&self) -> bool {
        *self
            == Self {
                hypercalls: self.hypercalls,
                ..Self::default()
            }
    }
}
