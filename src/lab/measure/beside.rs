//! What stood beside a figure of a benchmark that measures one contender after the other.
//!
//! Criterion's contenders are seconds and minutes apart. The memory beyond a core's own caches is
//! shared with whoever else is on the host, and the clock's rate moves: the *unprotected* operation itself was seen to
//! take five times as long from one minute to the next. So it is timed just before and just after
//! each benchmark; what is to be compared is the benchmark's time by their mean. Where the two are far
//! apart, or another process had the CPU, the figure is not to be trusted, and says so.

use super::batch::run;
use super::contender::Worker;
use super::neighbours::{Neighbours, spoilt};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, io};

/// The name of its file, in the folder of the benchmark's own estimates.
const FILE: &str = "beside.json";
/// How long a slice of the unprotected operation is; the median of [`SLICES`] counts.
const SLICE: Duration = Duration::from_millis(4);
const SLICES: usize = 5;
/// Operations between two looks at the clock.
const CHUNK: u64 = 1_000;
/// So far apart may the unprotected operation be from itself.
const APART: f64 = 1.25;

/// See the [module](self).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Beside {
    /// Nanoseconds of the unprotected operation just before.
    pub before: f64,
    /// And just after.
    pub after: f64,
    /// The part of the benchmark's time that its thread was ready, and another process had the CPU.
    pub lost: f64,
}

/// Nanoseconds of the unprotected operation now.
fn now(raw: &mut dyn Worker) -> f64 {
    let mut slices = [0.0; SLICES];
    slices.fill_with(|| {
        let start = Instant::now();
        let done = run(raw, CHUNK, SLICE);
        start.elapsed().as_nanos() as f64 / done.ops as f64
    });
    slices.sort_by(f64::total_cmp);
    slices[SLICES / 2]
}

impl Beside {
    /// Runs `bench` on this thread, `raw` just before and just after it.
    pub fn watch(raw: &mut dyn Worker, bench: impl FnOnce()) -> Self {
        let before = now(raw);
        let neighbours = Neighbours::of_this_thread();
        let (mark, begun) = (neighbours.mark(), Instant::now());
        bench();
        let (lost, nanos) = (neighbours.lost_since(mark), begun.elapsed().as_nanos());
        Self {
            before,
            after: now(raw),
            lost: lost as f64 / nanos.max(1) as f64,
        }
    }

    /// Nanoseconds of the unprotected operation meanwhile.
    pub fn raw(&self) -> f64 {
        f64::midpoint(self.before, self.after)
    }

    /// Why the figure is not to be trusted, if so.
    pub fn doubt(&self) -> Option<String> {
        let apart = self.before.max(self.after) / self.before.min(self.after);
        // NaN is doubtful, too.
        if !(1.0..=APART).contains(&apart) {
            return Some(format!(
                "the unprotected operation took {:.2} ns before and {:.2} ns after",
                self.before, self.after
            ));
        }
        const PARTS: f64 = 1e6;
        let doubtful = spoilt((self.lost * PARTS) as u64, PARTS as u64);
        doubtful.then(|| {
            let percent = 100.0 * self.lost;
            format!("another process had the CPU {percent:.0} % of the time")
        })
    }

    /// Leaves it in the folder of a benchmark's estimates.
    ///
    /// # Errors
    /// If there is no such folder, or it is full.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        fs::write(folder.join(FILE), serde_json::to_vec(self)?)
    }

    /// What was left there; `None` if nothing was, or it cannot be understood.
    pub fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(folder.join(FILE)).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beside(before: f64, after: f64, lost: f64) -> Beside {
        Beside {
            before,
            after,
            lost,
        }
    }

    #[test]
    fn a_machine_that_moves_or_is_shared_is_doubted() {
        assert_eq!(beside(1.0, 1.2, 0.01).doubt(), None);
        assert!(beside(1.0, 1.3, 0.0).doubt().is_some());
        assert!(beside(1.3, 1.0, 0.0).doubt().is_some());
        assert!(beside(0.0, 1.0, 0.0).doubt().is_some());
        assert!(beside(1.0, 1.0, 0.03).doubt().is_some());
    }

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Beside::read(dir.path()), None);
        let one = beside(1.0, 3.0, 0.25);
        one.write(dir.path()).unwrap();
        assert_eq!(Beside::read(dir.path()), Some(one));
        assert_eq!(one.raw(), 2.0);
    }
}
