//! What a hold costs: a bar a scheme and number of threads, cheapest first.

use super::axis::Axis;
use super::canvas::{Anchor, COLOURS, Canvas, INK, SIZE, width};
use crate::lab::sample::Workload;
use crate::lab::summary::Row;
use crate::lab::table::number::{count, plain};
use std::collections::BTreeSet;

const LEFT: f64 = 190.0;
const RIGHT: f64 = 840.0;
const TOP: f64 = 72.0;
const BAR: f64 = 13.0;
const GAP: f64 = 9.0;

/// The plot; `None` without rows.
pub(super) fn draw(rows: &[Row]) -> Option<String> {
    let rows: Vec<&Row> = rows
        .iter()
        .filter(|row| row.workload == Workload::Hold && !row.crowded)
        .collect();
    let threads: BTreeSet<u32> = rows.iter().map(|row| row.threads).collect();
    let first = *threads.first()?;
    let ratio = |row: &Row| row.figures.map_or(f64::INFINITY, |f| f.ratio.median);
    let mut order: Vec<&Row> = rows
        .iter()
        .copied()
        .filter(|row| row.threads == first)
        .collect();
    order.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));

    let values = rows.iter().filter_map(|row| row.figures);
    let ends = values.flat_map(|f| [f.ratio.low, f.ratio.high, f.ratio.median, 1.0]);
    let axis = Axis::over(ends, LEFT, RIGHT);
    let one = axis.at(1.0);
    let group = BAR * threads.len() as f64 + GAP;
    let bottom = TOP + group * order.len() as f64 + GAP;
    let mut canvas = Canvas::new(RIGHT + 60.0, bottom + 56.0, "What a hold costs");
    axis.across(
        &mut canvas,
        TOP,
        bottom,
        "ratio to an unprotected read, log scale; whiskers: 95 % interval of the median",
    );

    let mut legend = LEFT;
    for (threads, colour) in threads.iter().zip(COLOURS.iter().cycle()) {
        let text = count(*threads, "thread");
        canvas.bar(legend, 46.0, BAR, BAR, colour);
        canvas.text(legend + BAR + 6.0, 57.0, Anchor::Start, INK, &text);
        legend += BAR + 30.0 + width(&text, SIZE);
    }
    for (at, scheme) in order.iter().enumerate() {
        let top = TOP + GAP + group * at as f64;
        let middle = top + (group - GAP) / 2.0;
        canvas.text(LEFT - 10.0, middle + 4.5, Anchor::End, INK, &scheme.label());
        let mut y = top;
        for (threads, colour) in threads.iter().zip(COLOURS.iter().cycle()) {
            let here = |row: &&&Row| row.scheme == scheme.scheme && row.threads == *threads;
            bar(
                &mut canvas,
                &axis,
                y,
                colour,
                rows.iter().find(here).copied(),
            );
            y += BAR;
        }
    }
    canvas.line((one, TOP), (one, bottom), INK, 1.2);
    Some(canvas.finish())
}

/// One bar from one, with its whiskers and its value.
fn bar(canvas: &mut Canvas, axis: &Axis, y: f64, colour: &str, row: Option<&Row>) {
    let one = axis.at(1.0);
    let middle = y + BAR / 2.0;
    let Some(figures) = row.and_then(|row| row.figures) else {
        let why = if row.is_some() {
            "could not run"
        } else {
            "not measured"
        };
        canvas.text(one + 6.0, middle + 4.5, Anchor::Start, colour, why);
        return;
    };
    let x = axis.at(figures.ratio.median);
    canvas.bar(one.min(x), y + 1.0, (x - one).abs(), BAR - 2.0, colour);
    let (low, high) = (axis.at(figures.ratio.low), axis.at(figures.ratio.high));
    canvas.line((low, middle), (high, middle), INK, 1.2);
    for end in [low, high] {
        canvas.line((end, middle - 3.5), (end, middle + 3.5), INK, 1.2);
    }
    let text = plain(figures.ratio.median);
    canvas.text(high.max(one) + 6.0, middle + 4.5, Anchor::Start, INK, &text);
}
