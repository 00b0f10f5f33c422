//! Which suspends a run times: a readable part of readers x length of hold x time held x dwell.
//!
//! One reader that never pauses, with and without a dwell, in depth; the same reader with holds that
//! last, held hardly ever, half of the time and nearly always; and more readers, two and eight. Where
//! those need more CPUs than there are, only a median is asked for, and few suspends are enough.

use super::rhythm::Rhythm;
use super::suspend::{Condition, Suspends};
use std::time::Duration;

/// Lengths of hold, microseconds.
const HOLDS: [u64; 2] = [1, 50];
/// Of a reader's time, per cent.
const HELD: [u32; 3] = [1, 50, 100];
/// Numbers of readers beyond one.
const MANY: [usize; 2] = [2, 8];

/// For the run that results are published from.
pub fn full() -> Vec<Suspends> {
    matrix(1_000, 200, 40)
}

/// For a look.
pub fn quick() -> Vec<Suspends> {
    matrix(50, 10, 5)
}

/// With so many samples of the hot reader, of each rhythm, and with many readers.
fn matrix(hot: u32, paced: u32, many: u32) -> Vec<Suspends> {
    let micros = Duration::from_micros;
    let condition = |samples, rhythm, dwell| Condition {
        samples,
        rhythm,
        dwell: micros(dwell),
    };
    let mut one = vec![
        condition(hot, Rhythm::HOT, 0),
        condition(hot, Rhythm::HOT, 50),
    ];
    for (hold, held) in HOLDS.iter().flat_map(|&h| HELD.map(|held| (h, held))) {
        let hold = micros(hold);
        one.push(condition(paced, Rhythm { hold, held }, 0));
    }
    let mut all = vec![Suspends {
        readers: 1,
        period: micros(500),
        limit: Duration::from_millis(100),
        conditions: one,
    }];
    for readers in MANY {
        all.push(Suspends {
            readers,
            // A suspend is over when every reader has had its turn on a CPU.
            period: Duration::from_millis(20),
            limit: Duration::from_millis(500),
            conditions: vec![condition(many, Rhythm::HOT, 0)],
        });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_takes_its_time_and_not_more() {
        let expected = |all: &[Suspends]| all.iter().map(|one| one.expected(26)).sum::<Duration>();
        assert!(expected(&full()) < Duration::from_secs(100));
        assert!(expected(&quick()) < Duration::from_secs(10));
    }
}
