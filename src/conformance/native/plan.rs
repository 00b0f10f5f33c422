//! How long a stress is, and what is random in it.

/// A stress, before it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Holds to begin, of all readers together, nested ones and snapshots not counted.
    pub holds: u64,
    /// Reader threads, besides the suspender; two or more, or no reader ever meets another.
    pub readers: usize,
    /// Of every random choice. It repeats the choices, not the schedule, which is the machine's.
    pub seed: u64,
}

impl Plan {
    /// Two readers, and so many holds.
    pub const fn holds(holds: u64) -> Self {
        Self {
            holds,
            readers: 2,
            seed: 1,
        }
    }
}

/// One in so many holds also drops its registration first, and registers anew.
pub(super) const REGISTER: u32 = 512;
/// One in so many holds is followed by a snapshot.
pub(super) const SNAPSHOT: u32 = 16;
/// One in so many holds has another within it, where the scheme claims that it may.
pub(super) const NEST: u32 = 8;
/// One in so many holds or changed words gives the CPU away in the middle: what makes holds and
/// suspends overlap even where there is one CPU.
pub(super) const YIELD: u32 = 512;
/// One in so many holds fills the store buffer before it begins, see `cold`.
pub(super) const COLD: u32 = 4;
/// A hold looks at every word at most so many times.
pub(super) const PASSES: u32 = 3;
/// A pause within a hold, or between two words, is shorter than this many turns of an empty loop.
pub(super) const DWELL: u32 = 64;
/// A suspender that has seen its reader about to hold waits less than this many turns more.
pub(super) const SKEW: u32 = 1024;
/// A suspender waits for fewer than this many holds of one reader between two suspends.
pub(super) const PAUSE: u64 = 64;

/// Passes the time without a system call; the compiler may not shorten it.
#[inline]
pub(super) fn dwell(turns: u32) {
    for turn in 0..turns {
        std::hint::black_box(turn);
    }
}
