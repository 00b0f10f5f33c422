//! Time that another process had our CPU.
//!
//! Pinning keeps a thread on its CPU, it does not keep others off. A batch during which one of its
//! threads was ready to run, and was not let, is a measurement of the neighbour; it is repeated, and
//! the run says how often. The kernel counts it, by thread: `/proc/thread-self/schedstat` holds
//! nanoseconds on the CPU, nanoseconds ready but waiting, and turns. Where there is none, nothing is
//! repeated.
//!
//! A thread that sleeps and is woken waits a little, too, and that is the scheme's own cost. So
//! [`WAKE_UP`] a turn is no neighbour's fault.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// Nanoseconds from being woken to running that need no other process.
const WAKE_UP: u64 = 10_000;
/// Batches that lost more than one part in so many are repeated.
const TOLERATED: u64 = 50;
/// How often a batch is repeated before it is taken as it is.
pub(super) const REPEATS: u32 = 4;

/// The calling thread's counters.
#[derive(Debug)]
pub(super) struct Neighbours(Option<File>);

/// The counters at one time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    waited: u64,
    turns: u64,
}

impl Neighbours {
    /// Of the thread that calls this.
    pub(super) fn of_this_thread() -> Self {
        Self(File::open("/proc/thread-self/schedstat").ok())
    }

    /// The counters now.
    pub(super) fn mark(&self) -> Mark {
        let mut text = [0u8; 96];
        let read = self.0.as_ref().map(|file| file.read_at(&mut text, 0));
        let length = read.and_then(Result::ok).unwrap_or(0);
        parse(&text[..length]).unwrap_or_default()
    }

    /// Nanoseconds that the thread has lost to others since `mark`.
    pub(super) fn lost_since(&self, mark: Mark) -> u64 {
        let now = self.mark();
        let waited = now.waited.saturating_sub(mark.waited);
        waited.saturating_sub(now.turns.saturating_sub(mark.turns) * WAKE_UP)
    }
}

fn parse(text: &[u8]) -> Option<Mark> {
    let text = std::str::from_utf8(text).ok()?;
    let mut numbers = text.split_whitespace().skip(1).map(str::parse);
    let waited = numbers.next()?.ok()?;
    let turns = numbers.next()?.ok()?;
    Some(Mark { waited, turns })
}

/// Whether that much of `nanos` lost makes the rest worthless.
pub(super) fn spoilt(lost: u64, nanos: u64) -> bool {
    lost.saturating_mul(TOLERATED) > nanos
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_is_understood() {
        let mark = parse(b"559152 44246 3\n").map(|mark| (mark.waited, mark.turns));
        assert_eq!(mark, Some((44_246, 3)));
        assert!(parse(b"559152").is_none());
        assert!(parse(b"").is_none());
    }

    #[test]
    fn a_fiftieth_is_tolerated() {
        assert!(!spoilt(20, 1_000));
        assert!(spoilt(21, 1_000));
    }
}
