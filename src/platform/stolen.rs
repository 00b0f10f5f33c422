//! Time that the hypervisor gave to others: the kernel counts it by CPU, in `/proc/stat`.
//!
//! The counters have the grain of a clock tick, so they say nothing about a batch, but something about a run.
//! A hypervisor that does not tell its guests leaves them at zero, which is "nothing is known", too.

use std::fs;

/// The counters of all CPUs at one time, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticks {
    stolen: u64,
    all: u64,
}

impl Ticks {
    /// The counters now; `None` where the kernel has none.
    pub fn now() -> Option<Self> {
        parse(&fs::read_to_string("/proc/stat").ok()?)
    }

    /// The share of the CPUs' time since then that was stolen.
    pub fn share_since(self, then: Self) -> f64 {
        let all = self.all.saturating_sub(then.all).max(1);
        self.stolen.saturating_sub(then.stolen) as f64 / all as f64
    }
}

/// The line of all CPUs: user, nice, system, idle, iowait, irq, softirq, steal; guests are in user already.
fn parse(text: &str) -> Option<Ticks> {
    let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let numbers = line.split_whitespace().take(8).map(str::parse);
    let numbers: Vec<u64> = numbers.collect::<Result<_, _>>().ok()?;
    Some(Ticks {
        stolen: *numbers.get(7)?,
        all: numbers.iter().sum(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "cpu  100 0 50 800 5 0 5 40 9 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n";
    const AFTER: &str = "cpu  150 0 60 820 5 0 5 60 9 0\n";

    #[test]
    fn the_share_is_of_all_time() {
        let (before, after) = (parse(BEFORE).unwrap(), parse(AFTER).unwrap());
        assert_eq!((before.stolen, before.all), (40, 1_000));
        assert_eq!(after.share_since(before), 0.2);
        assert_eq!(before.share_since(before), 0.0);
    }

    #[test]
    fn a_kernel_that_does_not_count_is_known_by_it() {
        for text in [
            "",
            "cpu  1 2 3 4 5 6 7\n",
            "cpu0 1 2 3 4 5 6 7 8\n",
            "cpu  a\n",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
