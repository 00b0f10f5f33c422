//! A benchmark's samples with the unprotected operation between them.
//!
//! Criterion's contenders are seconds and minutes apart. The memory beyond a core's own caches is
//! shared with whoever else is on the host, and the clock's rate moves: the *unprotected* operation itself was seen to
//! take eight times as long from one second to the next. So each sample is cut into batches, with as
//! many unprotected operations before each. Criterion gets the time of the contender's; the ratio of the two sums is
//! what can be compared with another contender's. Samples are summed in two halves, turn by turn: where these
//! disagree, or another process had the CPU, the ratio is not to be trusted, and says so.

use super::contender::Worker;
use super::neighbours::{Neighbours, spoilt};
use crate::platform::origin;
use serde::{Deserialize, Serialize};
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, io};

/// The name of its file, in the folder of the benchmark's own estimates.
const FILE: &str = "beside.json";
/// Iterations of a batch: enough that the look at the clock costs nothing.
const BATCH: u64 = 16;
/// So far apart may the two halves be.
const APART: f64 = 1.25;

/// A contender's worker, and the unprotected operation's.
#[allow(missing_debug_implementations)]
pub struct Beside<'w> {
    raw: &'w mut dyn Worker,
    worker: &'w mut dyn Worker,
    /// Operations of an iteration.
    ops: u64,
    neighbours: Neighbours,
    /// Time of the unprotected operation and of the contender, samples by turns.
    halves: [[Duration; 2]; 2],
    turn: usize,
    lost: u64,
}

/// Which program left a ratio, so that folders of an older one are noticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The commit that was checked out; `-dirty` follows if anything differed from it.
    pub commit: String,
    /// When the program was built, seconds since 1970.
    pub built: u64,
}

impl Stamp {
    /// This program's. Asks git: once is enough.
    pub fn of_this_program() -> Self {
        let here = std::env::current_dir().unwrap_or_default();
        let (commit, dirty) = origin::commit(origin::repository(&here).as_deref());
        let dirty = if dirty == Some(true) { "-dirty" } else { "" };
        Self {
            commit: format!("{commit}{dirty}"),
            built: origin::built(),
        }
    }
}

/// A ratio as it is left in a benchmark's folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// The ratio.
    #[serde(flatten)]
    pub ratio: Ratio,
    /// Who left it.
    pub made: Stamp,
}

impl Kept {
    /// What was left there.
    ///
    /// # Errors
    /// Why there is nothing, on one line.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let text = fs::read(folder.join(FILE)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => String::from("there is no benchmark of it"),
            _ => format!("{FILE} cannot be read ({error})"),
        })?;
        serde_json::from_slice(&text)
            .map_err(|error| format!("{FILE} cannot be understood ({error})"))
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// The contender's time by that of the unprotected operation, of either half of the samples.
    pub halves: [f64; 2],
    /// The part of the time that the thread was ready, and another process had the CPU.
    pub lost: f64,
}

impl<'w> Beside<'w> {
    /// `worker` beside `raw`, both of this thread; an iteration does `ops` operations.
    pub fn new(raw: &'w mut dyn Worker, worker: &'w mut dyn Worker, ops: u64) -> Self {
        Self {
            raw,
            worker,
            ops,
            neighbours: Neighbours::of_this_thread(),
            halves: Default::default(),
            turn: 0,
            lost: 0,
        }
    }

    /// A sample of so many iterations: the time that the contender took.
    pub fn sample(&mut self, iterations: u64) -> Duration {
        let mark = self.neighbours.mark();
        let [mut raw, mut contender] = [Duration::ZERO; 2];
        let mut left = iterations;
        while left > 0 {
            let batch = left.min(BATCH);
            left -= batch;
            let ops = black_box(batch * self.ops);
            let began = Instant::now();
            black_box(self.raw.batch(ops));
            let between = Instant::now();
            black_box(self.worker.batch(ops));
            raw += between - began;
            contender += between.elapsed();
        }
        let half = &mut self.halves[self.turn % 2];
        half[0] += raw;
        half[1] += contender;
        self.turn += 1;
        self.lost += self.neighbours.lost_since(mark);
        contender
    }

    /// What came of all samples; `None` if there were fewer than two.
    pub fn ratio(&self) -> Option<Ratio> {
        let all: Duration = self.halves.iter().flatten().sum();
        (self.turn > 1).then(|| Ratio {
            halves: self
                .halves
                .map(|[raw, contender]| contender.div_duration_f64(raw)),
            lost: self.lost as f64 / all.as_nanos() as f64,
        })
    }
}

impl Ratio {
    /// The contender's time by that of the unprotected operation.
    pub fn value(&self) -> f64 {
        f64::midpoint(self.halves[0], self.halves[1])
    }

    /// Why it is not to be trusted, if so.
    pub fn doubt(&self) -> Option<String> {
        let [one, other] = self.halves;
        // NaN is doubtful, too.
        if !(1.0..=APART).contains(&(one.max(other) / one.min(other))) {
            return Some(format!(
                "half of the samples say {one:.2} unprotected operations, half {other:.2}"
            ));
        }
        const PARTS: f64 = 1e6;
        let doubtful = spoilt((self.lost * PARTS) as u64, PARTS as u64);
        doubtful.then(|| {
            let percent = 100.0 * self.lost;
            format!("another process had the CPU {percent:.0} % of the time")
        })
    }

    /// Leaves it in the folder of a benchmark's estimates, with who `made` it.
    ///
    /// # Errors
    /// If there is no such folder, or it is full.
    pub fn write(self, folder: &Path, made: &Stamp) -> io::Result<()> {
        let kept = Kept {
            ratio: self,
            made: made.clone(),
        };
        fs::write(folder.join(FILE), serde_json::to_vec(&kept)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::watch::Watch;
    use super::*;

    /// Takes so long an operation, and counts them.
    struct Takes(Duration, u64);

    impl Worker for Takes {
        fn batch(&mut self, n: u64) -> u64 {
            self.1 += n;
            std::thread::sleep(self.0 * n as u32);
            0
        }

        fn suspend(&mut self, during: &mut dyn FnMut()) {
            during();
        }

        fn attend(&mut self, _: &Watch, _: usize) {}
    }

    fn ratio(halves: [f64; 2], lost: f64) -> Ratio {
        Ratio { halves, lost }
    }

    #[test]
    fn both_do_as_much_and_the_contenders_time_is_told() {
        let mut raw = Takes(Duration::ZERO, 0);
        let mut worker = Takes(Duration::from_micros(100), 0);
        let mut beside = Beside::new(&mut raw, &mut worker, 2);
        assert!(beside.ratio().is_none());
        let took = beside.sample(BATCH + 1);
        assert!(took >= Duration::from_micros(200 * (BATCH + 1)));
        beside.sample(1);
        let ratio = beside.ratio().expect("two samples");
        assert!(ratio.halves.iter().all(|half| *half > 1.0), "{ratio:?}");
        assert_eq!([raw.1, worker.1], [2 * (BATCH + 2); 2]);
    }

    #[test]
    fn halves_that_disagree_and_a_shared_cpu_are_doubted() {
        assert_eq!(ratio([1.0, 1.2], 0.01).doubt(), None);
        assert!(ratio([1.0, 1.3], 0.0).doubt().is_some());
        assert!(ratio([1.3, 1.0], 0.0).doubt().is_some());
        assert!(ratio([0.0, 0.0], 0.0).doubt().is_some());
        assert!(ratio([1.0, 1.0], 0.03).doubt().is_some());
    }

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Kept::read(dir.path()).is_err_and(|why| why.contains("no benchmark")));
        let (one, made) = (ratio([1.0, 3.0], 0.25), Stamp::of_this_program());
        assert!(made.built > 0);
        one.write(dir.path(), &made).unwrap();
        assert_eq!(Kept::read(dir.path()), Ok(Kept { ratio: one, made }));
        assert_eq!(one.value(), 2.0);
        let old = serde_json::to_vec(&one).unwrap();
        fs::write(dir.path().join(FILE), old).unwrap();
        assert!(Kept::read(dir.path()).is_err_and(|why| why.contains("made")));
    }
}
