//! How long a suspender waits: median and 90th percentile a scheme, quickest first.

use super::axis::Axis;
use super::canvas::{Anchor, COLOURS, Canvas, INK, SIZE, width};
use crate::lab::summary::SuspendRow;
use crate::lab::table::number::count;
use std::collections::BTreeSet;

const LEFT: f64 = 190.0;
const RIGHT: f64 = 840.0;
const TOP: f64 = 72.0;
const LINE: f64 = 15.0;
const GAP: f64 = 9.0;

/// Nanoseconds as microseconds; zero, which a log scale cannot show, as a nanosecond.
fn micros(ns: u64) -> f64 {
    ns.max(1) as f64 / 1000.0
}

/// The plot; `None` without rows.
pub(super) fn draw(rows: &[SuspendRow]) -> Option<String> {
    // Those that may be compared: with a CPU for each thread, and readers that never pause.
    let rows: Vec<&SuspendRow> = rows
        .iter()
        .filter(|row| row.condition().is_hot() && !row.crowded)
        .collect();
    let kinds: BTreeSet<_> = rows.iter().map(|row| row.condition()).collect();
    let first = *kinds.first()?;
    let kind = SuspendRow::condition;
    let mut order: Vec<&SuspendRow> = rows
        .iter()
        .copied()
        .filter(|row| kind(row) == first)
        .collect();
    order.sort_by_key(|row| row.exclusivity_ns.median);

    let values = rows.iter().flat_map(|row| {
        let latency = &row.exclusivity_ns;
        [latency.median, latency.p90.unwrap_or(latency.median)].map(micros)
    });
    let axis = Axis::over(values, LEFT, RIGHT);
    let group = LINE * kinds.len() as f64 + GAP;
    let bottom = TOP + group * order.len() as f64 + GAP;
    let title = "How long a suspend waits for exclusivity";
    let mut canvas = Canvas::new(RIGHT + 60.0, bottom + 56.0, title);
    axis.across(
        &mut canvas,
        TOP,
        bottom,
        "microseconds from when the suspend was due, log scale; dot: median, ring: p90",
    );

    let mut legend = LEFT;
    for (kind, colour) in kinds.iter().zip(COLOURS.iter().cycle()) {
        let text = format!(
            "dwell {} us, {}",
            kind.dwell_us,
            count(kind.readers, "reader")
        );
        canvas.dot(legend + 6.0, 52.5, 4.5, colour, true);
        canvas.text(legend + 18.0, 57.0, Anchor::Start, INK, &text);
        legend += 40.0 + width(&text, SIZE);
    }
    for (at, scheme) in order.iter().enumerate() {
        let top = TOP + GAP + group * at as f64;
        let middle = top + (group - GAP) / 2.0;
        canvas.text(LEFT - 10.0, middle + 4.5, Anchor::End, INK, &scheme.label());
        let mut y = top + LINE / 2.0;
        for (wanted, colour) in kinds.iter().zip(COLOURS.iter().cycle()) {
            let here = |row: &&&SuspendRow| row.scheme == scheme.scheme && kind(row) == *wanted;
            if let Some(row) = rows.iter().find(here) {
                let median = axis.at(micros(row.exclusivity_ns.median));
                if let Some(p90) = row.exclusivity_ns.p90 {
                    let p90 = axis.at(micros(p90));
                    canvas.line((median, y), (p90, y), colour, 1.6);
                    canvas.dot(p90, y, 4.5, colour, false);
                }
                canvas.dot(median, y, 4.5, colour, true);
            }
            y += LINE;
        }
    }
    Some(canvas.finish())
}
