//! Plots as SVG: the same rows give the same bytes.

mod axis;
mod bars;
mod canvas;
mod labels;
mod latency;
mod sweep;
mod tradeoff;

use super::data::Data;

/// A plot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plot {
    /// Its name: of the file, and of the block that shows it.
    pub(super) name: &'static str,
    /// What it shows, for who cannot see it.
    pub(super) describes: &'static str,
    /// The file's text.
    pub(super) svg: String,
}

impl Plot {
    /// Its file, within the results folder.
    pub(super) fn path(&self) -> String {
        format!("plots/{}.svg", self.name)
    }
}

/// The plot of a sweep; `None` without rows.
pub(super) fn sweep(rows: &[crate::lab::sweep::Row]) -> Option<String> {
    sweep::draw(rows)
}

/// Every plot for which there is data.
pub(super) fn all(data: &Data) -> Vec<Plot> {
    let Some(measured) = &data.measured else {
        return Vec::new();
    };
    let drawn = [
        (
            "hold",
            "Bars: what a hold costs, by scheme and number of threads",
            bars::draw(&measured.rows),
        ),
        (
            "tradeoff",
            "Points: what a hold costs against how long a suspend waits, by scheme",
            tradeoff::draw(&measured.rows, &measured.suspends, &data.registered),
        ),
        (
            "suspend",
            "Dots: median and 90th percentile of a suspend's time to exclusivity, by scheme",
            latency::draw(&measured.suspends),
        ),
    ];
    let plot = |(name, describes, svg): (_, _, Option<String>)| {
        Some(Plot {
            name,
            describes,
            svg: svg?,
        })
    };
    drawn.into_iter().filter_map(plot).collect()
}
