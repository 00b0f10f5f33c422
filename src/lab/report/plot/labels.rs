//! Labels beside points, none upon another if there is room.
//!
//! Each point in turn takes the first place round it where its label covers nothing; if there is
//! none, the place where it covers least. The same points give the same places.

use super::canvas::{SIZE, width};

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Box2 {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Box2 {
    fn overlap(&self, other: &Self) -> f64 {
        let across = self.right.min(other.right) - self.left.max(other.left);
        let down = self.bottom.min(other.bottom) - self.top.max(other.top);
        across.max(0.0) * down.max(0.0)
    }

    /// How much of it is outside `field`.
    fn outside(&self, field: &Self) -> f64 {
        let area = (self.right - self.left) * (self.bottom - self.top);
        area - self.overlap(field)
    }
}

/// Around a dot.
const DOT: f64 = 6.0;

/// Where the label of each point goes: a box that its text fits in.
pub(super) fn places(points: &[(f64, f64, String)], field: &Box2) -> Vec<Box2> {
    let dots: Vec<Box2> = points
        .iter()
        .map(|(x, y, _)| Box2 {
            left: x - DOT,
            top: y - DOT,
            right: x + DOT,
            bottom: y + DOT,
        })
        .collect();
    let mut placed: Vec<Box2> = Vec::new();
    for (x, y, label) in points {
        let covers = |place: &Box2| {
            let boxes = dots.iter().chain(&placed);
            boxes.map(|other| place.overlap(other)).sum::<f64>() + 4.0 * place.outside(field)
        };
        let mut best: Option<(f64, Box2)> = None;
        for place in around(*x, *y, width(label, SIZE)) {
            let cost = covers(&place);
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, place));
            }
            if cost == 0.0 {
                break;
            }
        }
        placed.extend(best.map(|(_, place)| place));
    }
    placed
}

/// Places round a point, the best first: near before far, beside before above and below.
fn around(x: f64, y: f64, width: f64) -> impl Iterator<Item = Box2> {
    let height = SIZE + 2.0;
    [9.0, 20.0, 34.0, 50.0, 70.0]
        .into_iter()
        .flat_map(move |gap| {
            let sides = [
                (x + gap, y),
                (x - gap - width, y),
                (x - width / 2.0, y - gap - height / 2.0),
                (x - width / 2.0, y + gap + height / 2.0),
                (x + gap * 0.7, y - gap),
                (x + gap * 0.7, y + gap),
                (x - gap * 0.7 - width, y - gap),
                (x - gap * 0.7 - width, y + gap),
            ];
            sides.into_iter().map(move |(left, middle)| Box2 {
                left,
                top: middle - height / 2.0,
                right: left + width,
                bottom: middle + height / 2.0,
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_of_points_has_labels_apart() {
        let points: Vec<_> = (0..12)
            .map(|n| {
                (
                    300.0 + 9.0 * f64::from(n % 4),
                    200.0 + 12.0 * f64::from(n / 4),
                    format!("scheme_{n}"),
                )
            })
            .collect();
        let field = Box2 {
            left: 0.0,
            top: 0.0,
            right: 800.0,
            bottom: 500.0,
        };
        let placed = places(&points, &field);
        assert_eq!(placed.len(), points.len());
        for (at, one) in placed.iter().enumerate() {
            assert_eq!(one.outside(&field), 0.0);
            for other in placed.iter().skip(at + 1) {
                assert_eq!(one.overlap(other), 0.0, "{one:?} {other:?}");
            }
        }
    }
}
