//! A drawing surface: SVG with coordinates to a tenth of a pixel, so that equal data is equal bytes.

use svg::Document;
use svg::node::Node;
use svg::node::element::{Circle, Line, Rectangle, Text};

/// Text and lines.
pub(super) const INK: &str = "#222222";
/// What must not catch the eye.
pub(super) const GREY: &str = "#8a8a8a";
/// Grid lines.
pub(super) const PALE: &str = "#e3e3e3";
/// Colours that everybody can tell apart (Okabe and Ito), in the order of use.
pub(super) const COLOURS: [&str; 4] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];

/// Size of the text of axes and labels.
pub(super) const SIZE: f64 = 13.0;

/// Where text begins.
#[derive(Clone, Copy, Debug)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// The surface.
#[derive(Debug)]
pub(super) struct Canvas {
    document: Document,
}

fn px(value: f64) -> String {
    // Adding zero makes a negative zero a plain one.
    let text = format!("{:.1}", value + 0.0);
    match text.as_str() {
        "-0.0" => String::from("0.0"),
        _ => text,
    }
}

/// How wide text will be at most, in a common sans-serif font.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * 0.6
}

impl Canvas {
    /// White, with its title on top.
    pub(super) fn new(width: f64, height: f64, title: &str) -> Self {
        let document = Document::new()
            .set("width", px(width))
            .set("height", px(height))
            .set("viewBox", format!("0 0 {} {}", px(width), px(height)))
            .set("font-family", "sans-serif");
        let mut canvas = Self { document };
        canvas.bar(0.0, 0.0, width, height, "#ffffff");
        let heading = Text::new(title)
            .set("x", px(20.0))
            .set("y", px(28.0))
            .set("font-size", px(16.0))
            .set("font-weight", "bold")
            .set("fill", INK);
        canvas.document.append(heading);
        canvas
    }

    /// Text on a baseline.
    pub(super) fn text(&mut self, x: f64, y: f64, anchor: Anchor, colour: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let node = Text::new(text)
            .set("x", px(x))
            .set("y", px(y))
            .set("font-size", px(SIZE))
            .set("text-anchor", anchor)
            .set("fill", colour);
        self.document.append(node);
    }

    /// Text that runs upwards, centred on a point.
    pub(super) fn upwards(&mut self, x: f64, y: f64, text: &str) {
        let node = Text::new(text)
            .set("x", px(x))
            .set("y", px(y))
            .set("font-size", px(SIZE))
            .set("text-anchor", "middle")
            .set("fill", INK)
            .set("transform", format!("rotate(-90 {} {})", px(x), px(y)));
        self.document.append(node);
    }

    /// A straight line.
    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), colour: &str, width: f64) {
        let node = Line::new()
            .set("x1", px(from.0))
            .set("y1", px(from.1))
            .set("x2", px(to.0))
            .set("y2", px(to.1))
            .set("stroke", colour)
            .set("stroke-width", px(width));
        self.document.append(node);
    }

    /// A filled rectangle.
    pub(super) fn bar(&mut self, x: f64, y: f64, width: f64, height: f64, colour: &str) {
        let node = Rectangle::new()
            .set("x", px(x))
            .set("y", px(y))
            .set("width", px(width.max(0.0)))
            .set("height", px(height))
            .set("fill", colour);
        self.document.append(node);
    }

    /// A dot: filled, or a ring.
    pub(super) fn dot(&mut self, x: f64, y: f64, radius: f64, colour: &str, filled: bool) {
        let node = Circle::new()
            .set("cx", px(x))
            .set("cy", px(y))
            .set("r", px(radius))
            .set("fill", if filled { colour } else { "#ffffff" })
            .set("stroke", colour)
            .set("stroke-width", px(1.6));
        self.document.append(node);
    }

    /// The file's text.
    pub(super) fn finish(self) -> String {
        let mut text = self.document.to_string();
        text.push('\n');
        text
    }
}
