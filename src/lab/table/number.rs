//! Numbers as tables show them: three significant digits, never an exponent.

use crate::lab::summary::median::Median;

/// A ratio or a time: `0.41`, `12.3`, `255`.
pub(crate) fn plain(value: f64) -> String {
    let size = value.abs();
    match size {
        // Rounding must not give a fourth digit: 9.996 is 10.0.
        _ if size < 9.995 => format!("{value:.2}"),
        _ if size < 99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// A difference: with its sign.
pub(crate) fn signed(value: f64) -> String {
    match plain(value.abs()) {
        zero if zero == "0.00" => zero,
        size if value < 0.0 => format!("-{size}"),
        size => format!("+{size}"),
    }
}

/// `1.80-1.83`.
pub(crate) fn range(low: f64, high: f64) -> String {
    format!("{}-{}", plain(low), plain(high))
}

/// The interval of a median: `1.80-1.83`.
pub(crate) fn interval(median: &Median) -> String {
    range(median.low, median.high)
}

/// The interval of a difference: `+1.2 to +1.4`, since a minus and a dash would not be told apart.
pub(crate) fn signed_interval(median: &Median) -> String {
    format!("{} to {}", signed(median.low), signed(median.high))
}

/// Nanoseconds as microseconds.
pub(crate) fn micros(ns: u64) -> String {
    plain(ns as f64 / 1000.0)
}

/// A share as per cent.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1}", share * 100.0 + 0.0)
}

/// `1 thread`, `2 threads`.
pub(crate) fn count(n: u32, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits() {
        for (value, text) in [
            (0.0, "0.00"),
            (0.412, "0.41"),
            (9.994, "9.99"),
            (9.996, "10.0"),
            (99.96, "100"),
            (254.6, "255"),
            (1e6, "1000000"),
        ] {
            assert_eq!(plain(value), text);
        }
    }

    #[test]
    fn a_difference_has_a_sign_unless_it_is_nothing() {
        for (value, text) in [(1.5, "+1.50"), (-1.5, "-1.50"), (-0.001, "0.00")] {
            assert_eq!(signed(value), text);
        }
    }
}
