//! The median and how sure it is, whatever the distribution.
//!
//! A timing's distribution is skewed and has several humps, so nothing is assumed of it. For the
//! median m of n independent values, the number of values below m is binomial (n, 1/2). So the
//! k-th least and the k-th greatest value enclose m with probability 1 - 2 P(B < k), and the
//! greatest k that keeps this at 95 % gives the interval.

use serde::Serialize;

/// How sure an interval is.
const COVERAGE: f64 = 0.95;

/// Fewer values than this cannot give a 95 % interval: least and greatest of five enclose the
/// median in 94 % of cases.
pub const FEWEST: usize = 6;

/// A median, its interval and its spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Median {
    /// The middle value, or the mean of the two in the middle.
    pub median: f64,
    /// Lower end of a distribution-free 95 % confidence interval of the median. Below [`FEWEST`]
    /// values: the least, and the interval covers less.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// The least value.
    pub min: f64,
    /// The greatest value.
    pub max: f64,
}

impl Median {
    /// Of `values`, in any order; `None` if there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let n = values.len();
        let upper = *values.get(n / 2)?;
        let lower = *values.get((n - 1) / 2)?;
        let k = rank(n);
        Some(Self {
            median: f64::midpoint(lower, upper),
            low: *values.get(k - 1)?,
            high: *values.get(n - k)?,
            min,
            max,
        })
    }
}

/// The greatest k, from one, for which the k-th least and k-th greatest of `n` values enclose the
/// median with [`COVERAGE`]; one if none does.
fn rank(n: usize) -> usize {
    let n_f = n as f64;
    // ln of (n over i) / 2^n: the sum of many tiny terms, where 2^-n alone would underflow.
    let mut ln_term = -n_f * std::f64::consts::LN_2;
    let mut below = 0.0;
    for i in 0..n / 2 {
        below += ln_term.exp();
        if 1.0 - 2.0 * below < COVERAGE {
            return i.max(1);
        }
        let i_f = i as f64;
        ln_term += ((n_f - i_f) / (i_f + 1.0)).ln();
    }
    (n / 2).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ranks from published tables of the sign test (two-sided, 5 %).
    #[test]
    fn ranks_are_those_of_the_sign_test() {
        for (n, k) in [(1, 1), (5, 1), (6, 1), (8, 1), (9, 2), (12, 3), (15, 4)] {
            assert_eq!(rank(n), k, "{n}");
        }
        for (n, k) in [(20, 6), (25, 8), (30, 10), (50, 18), (100, 40)] {
            assert_eq!(rank(n), k, "{n}");
        }
        let half_width = 10_000 / 2 - rank(10_000);
        assert!((97..=98).contains(&half_width), "{half_width}");
    }

    #[test]
    fn known_medians() {
        assert_eq!(Median::of([]), None);
        let one = Median::of([3.0]).unwrap();
        assert_eq!((one.low, one.median, one.high), (3.0, 3.0, 3.0));
        let even = Median::of([4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!((even.min, even.median, even.max), (1.0, 2.5, 4.0));
        let twenty = Median::of((1..=20).map(f64::from)).unwrap();
        assert_eq!((twenty.low, twenty.median, twenty.high), (6.0, 10.5, 15.0));
    }

    /// Of many sets of skewed values, the share whose interval encloses the true median.
    #[test]
    fn the_interval_covers() {
        let mut state = 1u64;
        let mut uniform = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let mut enclosed = 0;
        for _ in 0..2000 {
            let m = Median::of((0..21).map(|_| -uniform().ln())).unwrap();
            let truth = std::f64::consts::LN_2;
            enclosed += i32::from(m.low <= truth && truth <= m.high);
        }
        assert!((1900..=1980).contains(&enclosed), "{enclosed} of 2000");
    }
}
