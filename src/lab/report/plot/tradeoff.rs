//! What a hold costs against how long a suspend waits: the choice at one glance.

use super::axis::Axis;
use super::canvas::{Anchor, COLOURS, Canvas, GREY, INK, SIZE, width};
use super::labels::{Box2, places};
use crate::lab::peers::Gives;
use crate::lab::sample::Workload;
use crate::lab::summary::{Registered, Row, SuspendRow, gives};
use crate::lab::table::number::count;

const FIELD: Box2 = Box2 {
    left: 96.0,
    top: 72.0,
    right: 860.0,
    bottom: 520.0,
};

/// What kind of scheme a point is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Modelled,
    /// A library's lock, or one of ours that no model checker can run.
    NotModelled,
    /// Waits for readers, or lets them read again, but keeps none out: no choice either.
    Peer,
    /// Excludes nobody: no choice at all.
    Control,
}

impl Sort {
    /// Whether it keeps readers out: a full dot.
    fn is_a_choice(self) -> bool {
        matches!(self, Sort::Modelled | Sort::NotModelled)
    }
}

const SORTS: [(Sort, &str, &str); 4] = [
    (Sort::Modelled, "holds, model-checked", COLOURS[0]),
    (Sort::NotModelled, "holds, not modelled", COLOURS[1]),
    (Sort::Peer, "peer: keeps none out", COLOURS[2]),
    (Sort::Control, "control: excludes nobody", GREY),
];

/// The plot; `None` without a scheme that has both figures.
pub(super) fn draw(rows: &[Row], suspends: &[SuspendRow], known: &[Registered]) -> Option<String> {
    let holds = rows
        .iter()
        .filter(|row| row.workload == Workload::Hold && !row.crowded);
    let threads = holds.clone().map(|row| row.threads).max()?;
    let kind = suspends.first().map(SuspendRow::condition)?;
    let mut points: Vec<(f64, f64, &str)> = holds
        .filter(|row| row.threads == threads)
        .filter_map(|row| {
            let here = |s: &&SuspendRow| s.scheme == row.scheme && s.condition() == kind;
            let latency = suspends.iter().find(here)?.exclusivity_ns.median;
            let ratio = row.figures?.ratio.median;
            Some((ratio, latency.max(1) as f64 / 1000.0, row.scheme.as_str()))
        })
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    if points.is_empty() {
        return None;
    }

    let across = Axis::over(points.iter().map(|point| point.0), FIELD.left, FIELD.right);
    let up = Axis::over(points.iter().map(|point| point.1), FIELD.bottom, FIELD.top);
    let title = "Read cost against suspend latency: lower left is better";
    let mut canvas = Canvas::new(FIELD.right + 30.0, FIELD.bottom + 56.0, title);
    let name = format!(
        "hold, ratio to an unprotected read with {}, log scale",
        count(threads, "thread")
    );
    across.across(&mut canvas, FIELD.top, FIELD.bottom, &name);
    let name = format!(
        "median time to exclusivity, us, dwell {} us, log scale",
        kind.dwell_us
    );
    up.up(&mut canvas, FIELD.left, FIELD.right, &name);
    legend(&mut canvas);

    let placed: Vec<(f64, f64, String)> = points
        .iter()
        .map(|(ratio, latency, name)| (across.at(*ratio), up.at(*latency), (*name).to_owned()))
        .collect();
    let labels = places(&placed, &FIELD);
    for ((x, y, _), label) in placed.iter().zip(&labels) {
        leader(&mut canvas, *x, *y, label);
    }
    for ((x, y, name), label) in placed.iter().zip(&labels) {
        let (sort, colour) = sort(known, name);
        canvas.dot(*x, *y, 5.0, colour, sort.is_a_choice());
        let (at, anchor) = if label.right <= *x {
            (label.right, Anchor::End)
        } else if label.left >= *x {
            (label.left, Anchor::Start)
        } else {
            (f64::midpoint(label.left, label.right), Anchor::Middle)
        };
        canvas.text(at, label.bottom - 4.0, anchor, INK, name);
    }
    Some(canvas.finish())
}

fn sort(known: &[Registered], name: &str) -> (Sort, &'static str) {
    let modelled = known
        .iter()
        .any(|scheme| scheme.name == name && scheme.modelled);
    let sort = match gives(known, name) {
        Some(Gives::Nothing) => Sort::Control,
        Some(Gives::GracePeriod | Gives::Snapshot) => Sort::Peer,
        Some(Gives::Hold) if modelled => Sort::Modelled,
        Some(Gives::Hold) | None => Sort::NotModelled,
    };
    let colour = SORTS.iter().find(|(of, _, _)| *of == sort);
    (sort, colour.map_or(INK, |(_, _, colour)| colour))
}

fn legend(canvas: &mut Canvas) {
    let mut x = FIELD.left;
    for (sort, text, colour) in SORTS {
        canvas.dot(x + 6.0, 52.5, 5.0, colour, sort.is_a_choice());
        canvas.text(x + 18.0, 57.0, Anchor::Start, INK, text);
        x += 40.0 + width(text, SIZE);
    }
}

/// A thin line from a point to a label that is not right beside it.
fn leader(canvas: &mut Canvas, x: f64, y: f64, label: &Box2) {
    let near = (
        x.clamp(label.left, label.right),
        y.clamp(label.top, label.bottom),
    );
    if (near.0 - x).hypot(near.1 - y) > 12.0 {
        canvas.line((x, y), near, GREY, 0.8);
    }
}
