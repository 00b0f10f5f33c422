//! What was aimed at, and what the newest comparison says of it: a bound a line, beside its figure.
//!
//! Invariant: a bound is all that is written down here; every figure is computed from the run's samples. What the
//! run lacks is said to be lacking, and never met. Where a factor over another lock is missed, the line says how
//! great a factor there can be at all: a hold that cost nothing would be as many times cheaper as that lock is
//! dearer than the unprotected read.

mod list;
#[cfg(test)]
mod tests;

use super::data::Measured;
use crate::lab::agreement::Compared;
use crate::lab::sample::{SuspendSample, Workload};
use crate::lab::summary::Figures;
use crate::lab::summary::median::Median;
use crate::lab::table::Grid;
use crate::lab::table::number::{plain, range};

/// The table; `agreement` is what `ptom agree` kept.
pub(super) fn grid(run: &Measured, agreement: Option<&[Compared]>) -> Grid {
    let mut grid = Grid::new(
        "",
        &[
            "aim",
            "bound",
            "measured (95 % interval)",
            "",
            "at most possible",
        ],
    );
    grid.words = vec![1, 2, 3, 4];
    let view = View { run };
    for aim in list::all(&view, agreement) {
        grid.rows.push(vec![
            aim.what,
            aim.bound,
            aim.measured,
            aim.came.to_owned(),
            aim.ceiling,
        ]);
    }
    grid.notes.extend(list::waited(&view));
    grid
}

/// An aim, and what came of it.
#[derive(Debug)]
struct Aim {
    what: String,
    bound: String,
    measured: String,
    came: &'static str,
    ceiling: String,
}

const MET: &str = "met";
const MISSED: &str = "MISSED";
/// More threads than CPUs: neither is a verdict on the scheme.
const MET_CROWDED: &str = "met, as a description";
const MISSED_CROWDED: &str = "MISSED, as a description";
const UNKNOWN: &str = "not known";

/// A figure, and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Figure {
    value: f64,
    low: f64,
    high: f64,
}

impl Figure {
    fn of(median: &Median) -> Self {
        let Median {
            median, low, high, ..
        } = *median;
        Self {
            value: median,
            low,
            high,
        }
    }

    /// How many times `other` it is; the interval is the widest that both allow.
    fn by(self, other: Self) -> Self {
        Self {
            value: self.value / other.value,
            low: self.low / other.high,
            high: self.high / other.low,
        }
    }

    fn shown(&self) -> String {
        format!("{} ({})", plain(self.value), range(self.low, self.high))
    }
}

/// What a figure must be.
#[derive(Clone, Copy, Debug)]
enum Bound {
    /// At most so much.
    Most(f64),
    /// At least so much.
    Least(f64),
    /// No more than that far from one.
    Within(f64),
    /// One, or what cannot be told from less.
    NoMore,
}

impl Bound {
    fn holds(self, figure: &Figure) -> bool {
        match self {
            Bound::Most(most) => figure.value <= most,
            Bound::Least(least) => figure.value >= least,
            Bound::Within(far) => (figure.value - 1.0).abs() <= far,
            Bound::NoMore => figure.low <= 1.0,
        }
    }

    fn shown(self) -> String {
        match self {
            Bound::Most(most) => format!("at most {most}"),
            Bound::Least(least) => format!("at least {least}"),
            Bound::Within(far) => format!("within {:.0} %", 100.0 * far),
            Bound::NoMore => String::from("at most 1, as far as can be told"),
        }
    }
}

impl Aim {
    /// An aim that a figure decides; without one it is not known.
    fn new(what: impl Into<String>, bound: Bound, figure: Option<Figure>) -> Self {
        let mut aim = Self {
            what: what.into(),
            bound: bound.shown(),
            measured: String::from("not in this run"),
            came: UNKNOWN,
            ceiling: String::new(),
        };
        if let Some(figure) = figure {
            aim.measured = figure.shown();
            aim.came = if bound.holds(&figure) { MET } else { MISSED };
        }
        aim
    }

    /// With what its figure is in.
    fn in_unit(mut self, unit: &str) -> Self {
        if self.came != UNKNOWN {
            self.measured.push_str(unit);
        }
        self
    }

    /// The same where threads shared CPUs, if they did.
    fn crowded(mut self, crowded: bool) -> Self {
        self.came = match self.came {
            MET if crowded => MET_CROWDED,
            MISSED if crowded => MISSED_CROWDED,
            came => came,
        };
        self
    }
}

/// The run, by what is asked of it.
struct View<'m> {
    run: &'m Measured,
}

impl View<'_> {
    fn figures(&self, workload: Workload, scheme: &str, threads: u32) -> Option<Figures> {
        let mut rows = self.run.rows.iter();
        let here = rows
            .find(|row| (row.workload, row.threads) == (workload, threads) && row.scheme == scheme);
        here?.figures
    }

    /// In unprotected operations of the same round.
    fn ratio(&self, workload: Workload, scheme: &str, threads: u32) -> Option<Figure> {
        let figures = self.figures(workload, scheme, threads)?;
        Some(Figure::of(&figures.ratio))
    }

    /// Suspends of a scheme against so many readers that never pause, at once resumed.
    fn suspends<'v>(
        &'v self,
        scheme: &'v str,
        readers: u32,
    ) -> impl Iterator<Item = &'v SuspendSample> {
        self.hot()
            .filter(move |s| s.scheme == scheme && s.readers == readers)
    }

    fn hot(&self) -> impl Iterator<Item = &SuspendSample> {
        let samples = self.run.run.suspends.iter();
        samples.filter(|s| s.hold_ns == 0 && s.dwell_us == 0)
    }

    /// The fewest readers that suspends were measured against, and the most.
    fn readers(&self) -> Option<(u32, u32)> {
        let readers = || self.hot().map(|s| s.readers);
        readers().min().zip(readers().max())
    }

    /// A time of those suspends, microseconds.
    fn time(&self, scheme: &str, readers: u32, time: fn(&SuspendSample) -> u64) -> Option<Figure> {
        let times = self
            .suspends(scheme, readers)
            .map(|s| time(s) as f64 / 1_000.0);
        Median::of(times).map(|median| Figure::of(&median))
    }

    /// Whether so many readers and a suspender are more than there are CPUs.
    fn crowded(&self, readers: u32) -> bool {
        readers + 1 > self.run.run.provenance.cores
    }
}
