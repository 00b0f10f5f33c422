//! Markers in `report.md`: what is between them is generated, everything else is prose.
//!
//! ```text
//! <!-- BEGIN hold: from results/RUN/samples.csv by `ptom report` -->
//! ...
//! <!-- END hold -->
//! ```
//!
//! Invariant: the pieces, one after the other, are the text.

/// What is wrong with the markers, and where.
pub(super) type Wrong = (u64, String);

/// A part of a report.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    Prose(&'t str),
    Generated {
        name: &'t str,
        /// The line of its BEGIN, from one.
        line: u64,
        text: &'t str,
    },
}

/// Cuts a report at its markers.
pub(super) fn pieces(report: &str) -> Result<Vec<Piece<'_>>, Wrong> {
    let mut pieces = Vec::new();
    // Where the present piece begins, and the block it is, with the line of its BEGIN.
    let mut start = 0;
    let mut open: Option<(&str, u64)> = None;
    let mut at = 0;
    for (number, line) in (1..).zip(report.split_inclusive('\n')) {
        let end = at + line.len();
        if let Some(name) = marker(line, "BEGIN ") {
            if let Some((outer, _)) = open {
                return Err((number, format!("a block begins within {outer:?}")));
            }
            pieces.extend(report.get(start..at).map(Piece::Prose));
            (start, open) = (at, Some((name, number)));
        } else if let Some(name) = marker(line, "END ") {
            let Some((opened, line)) = open.take().filter(|(opened, _)| *opened == name) else {
                return Err((
                    number,
                    format!("END of {name:?}, which does not begin before it"),
                ));
            };
            pieces.extend(report.get(start..end).map(|text| Piece::Generated {
                name: opened,
                line,
                text,
            }));
            start = end;
        }
        at = end;
    }
    if let Some((name, line)) = open {
        return Err((line, format!("block {name:?} has no END")));
    }
    pieces.extend(report.get(start..).map(Piece::Prose));
    Ok(pieces)
}

/// The name in a marker of this kind.
fn marker<'l>(line: &'l str, kind: &str) -> Option<&'l str> {
    let inside = line
        .trim_end()
        .strip_prefix("<!-- ")?
        .strip_suffix(" -->")?;
    let rest = inside.strip_prefix(kind)?;
    Some(rest.split_once(':').map_or(rest, |(name, _)| name).trim())
}
