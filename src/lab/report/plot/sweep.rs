//! What emptying every alternate slot costs, by number of pmaps: a line a way.

use super::axis::Axis;
use super::canvas::{Anchor, COLOURS, Canvas, GREY, INK};
use super::labels::{Box2, places};
use crate::lab::sweep::{Dirty, Row};

const FIELD: Box2 = Box2 {
    left: 106.0,
    top: 72.0,
    right: 720.0,
    bottom: 520.0,
};

/// A line: its label, its colour, and its points, each with whether all tables were there.
struct Line<'r> {
    label: String,
    colour: &'static str,
    points: Vec<&'r Row>,
}

/// Nothing at all, on a logarithmic axis: a tenth of a microsecond.
fn micros(row: &Row) -> f64 {
    (row.charged_ns / 1000.0).max(0.1)
}

/// The plot; `None` without rows.
pub(super) fn draw(rows: &[Row]) -> Option<String> {
    let lines = lines(rows)?;
    let all = || lines.iter().flat_map(|line| &line.points);
    let across = Axis::over(all().map(|row| row.pmaps as f64), FIELD.left, FIELD.right);
    let up = Axis::over(all().map(|row| micros(row)), FIELD.bottom, FIELD.top);
    let title = "Emptying every alternate slot before a save";
    let mut canvas = Canvas::new(FIELD.right + 190.0, FIELD.bottom + 56.0, title);
    let name = "live pmaps, log scale";
    across.across(&mut canvas, FIELD.top, FIELD.bottom, name);
    let name = "us by the stated charges, log scale; nothing is shown as 0.1";
    up.up(&mut canvas, FIELD.left, FIELD.right, name);
    let legend = "visits of another pmap, each from one of its own, before the save; dot: all tables, ring: roots only";
    canvas.text(FIELD.left, 57.0, Anchor::Start, INK, legend);

    let at = |row: &Row| (across.at(row.pmaps as f64), up.at(micros(row)));
    let mut ends = Vec::new();
    for line in &lines {
        for pair in line.points.windows(2) {
            canvas.line(at(pair[0]), at(pair[1]), line.colour, 1.6);
        }
        for row in &line.points {
            let (x, y) = at(row);
            canvas.dot(x, y, 4.0, line.colour, row.tables == "whole");
        }
        if let Some(last) = line.points.last() {
            let (x, y) = at(last);
            ends.push((x, y, line.label.clone()));
        }
    }
    let field = Box2 {
        left: FIELD.right - 40.0,
        right: FIELD.right + 190.0,
        ..FIELD
    };
    for (place, line) in places(&ends, &field).iter().zip(&lines) {
        let y = place.bottom - 4.0;
        canvas.text(place.left, y, Anchor::Start, line.colour, &line.label);
    }
    Some(canvas.finish())
}

/// A line for each way with the fixed number of slots, and one by the list with the largest share.
fn lines(rows: &[Row]) -> Option<Vec<Line<'_>>> {
    let usable = || rows.iter().filter(|row| row.err.is_none());
    let asked = |row: &&Row| row.asked.parse::<Dirty>().ok();
    let fixed = usable().filter_map(|row| match asked(&row)? {
        Dirty::Count(count) if count > 0 => Some(count),
        _ => None,
    });
    let percent = usable().filter_map(|row| match asked(&row)? {
        Dirty::Percent(percent) => Some(percent),
        Dirty::Count(_) => None,
    });
    let fixed = Dirty::Count(fixed.max()?);
    let of = |way: &str, dirty: Dirty| {
        let here = |row: &&Row| row.way == way && asked(row) == Some(dirty);
        usable().filter(here).collect::<Vec<_>>()
    };
    let mut ways: Vec<&str> = Vec::new();
    for row in usable() {
        if !ways.contains(&row.way) {
            ways.push(row.way);
        }
    }
    let mut lines: Vec<Line<'_>> = ways
        .iter()
        .zip(COLOURS.iter().chain(&[INK, "#e69f00"]).cycle())
        .map(|(way, colour)| Line {
            label: format!("{way}, {fixed} visits"),
            colour,
            points: of(way, fixed),
        })
        .collect();
    if let Some(most) = percent.max_by(f64::total_cmp) {
        let points = of("dirty_list", Dirty::Percent(most));
        lines.push(Line {
            label: format!("dirty_list, {most}% visits"),
            colour: GREY,
            points,
        });
    }
    Some(lines)
}
