//! A logarithmic axis: values to pixels, and ticks at 1, 2 and 5 times powers of ten.

use super::canvas::{Anchor, Canvas, INK, PALE};

/// From `low` at pixel `start` to `high` at pixel `end`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    start: f64,
    end: f64,
}

impl Axis {
    /// An axis that shows every one of `values`, which are positive, with a little room.
    pub(super) fn over(values: impl Iterator<Item = f64>, start: f64, end: f64) -> Self {
        let (mut low, mut high) = (f64::INFINITY, 0.0f64);
        for value in values.filter(|value| value.is_finite() && *value > 0.0) {
            low = low.min(value);
            high = high.max(value);
        }
        if low > high {
            (low, high) = (1.0, 10.0);
        }
        let (low, high) = (low * 0.8, (high * 1.25).max(low * 3.0));
        Self {
            low,
            high,
            start,
            end,
        }
    }

    /// Where a value is.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = (value.max(self.low) / self.low).ln() / (self.high / self.low).ln();
        self.start + share * (self.end - self.start)
    }

    /// Ticks, and whether each is labelled: all of them on a short axis, powers of ten on a long.
    fn ticks(&self) -> Vec<(f64, String, bool)> {
        let short = (self.high / self.low).log10() < 3.2;
        let mut ticks = Vec::new();
        for decade in self.low.log10().floor() as i32..=self.high.log10().ceil() as i32 {
            for step in [1.0, 2.0, 5.0] {
                let value = step * 10f64.powi(decade);
                if value < self.low || value > self.high {
                    continue;
                }
                let digits = usize::try_from(-decade).unwrap_or(0);
                ticks.push((value, format!("{value:.digits$}"), short || step == 1.0));
            }
        }
        ticks
    }

    /// Draws it as the horizontal axis of a field from `top` to `bottom`.
    pub(super) fn across(&self, canvas: &mut Canvas, top: f64, bottom: f64, name: &str) {
        for (value, label, labelled) in self.ticks() {
            let x = self.at(value);
            canvas.line((x, top), (x, bottom), PALE, 1.0);
            if labelled {
                canvas.text(x, bottom + 18.0, Anchor::Middle, INK, &label);
            }
        }
        canvas.line((self.start, bottom), (self.end, bottom), INK, 1.0);
        let middle = f64::midpoint(self.start, self.end);
        canvas.text(middle, bottom + 40.0, Anchor::Middle, INK, name);
    }

    /// Draws it as the vertical axis of a field from `left` to `right`.
    pub(super) fn up(&self, canvas: &mut Canvas, left: f64, right: f64, name: &str) {
        for (value, label, labelled) in self.ticks() {
            let y = self.at(value);
            canvas.line((left, y), (right, y), PALE, 1.0);
            if labelled {
                canvas.text(left - 8.0, y + 4.5, Anchor::End, INK, &label);
            }
        }
        canvas.line((left, self.start), (left, self.end), INK, 1.0);
        canvas.upwards(22.0, f64::midpoint(self.start, self.end), name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decade_is_as_long_as_the_next() {
        let axis = Axis::over([1.0, 1000.0].into_iter(), 0.0, 500.0);
        let step = axis.at(10.0) - axis.at(1.0);
        assert!((axis.at(100.0) - axis.at(10.0) - step).abs() < 1e-9);
        assert!(axis.at(1.0) > 0.0 && axis.at(1000.0) < 500.0);
    }

    #[test]
    fn no_values_and_one_value_make_an_axis() {
        for values in [vec![], vec![5.0], vec![f64::NAN, 0.0]] {
            let axis = Axis::over(values.into_iter(), 0.0, 100.0);
            assert!(axis.ticks().len() >= 2, "{axis:?}");
            assert!(axis.at(5.0).is_finite());
        }
    }
}
