//! Markers in `report.md`: what is between them is generated, everything else is prose.
//!
//! ```text
//! <!-- BEGIN hold: from results/RUN/samples.csv by `ptom report` -->
//! ...
//! <!-- END hold -->
//! ```
//!
//! Invariant: filling changes nothing but what is between markers and what a BEGIN says after its
//! name, and filling twice is filling once.

use std::collections::BTreeSet;

/// What goes between a pair of markers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// Its name.
    pub(crate) name: &'static str,
    /// The files it is made of, as the marker names them.
    pub(crate) from: String,
    /// Its text; the space around it is not kept.
    pub(crate) text: String,
}

/// How a block is made, as its marker says.
const COMMAND: &str = "`ptom report`";

impl Block {
    /// The block with its markers, as it stands in the report.
    fn whole(&self) -> String {
        let Self { name, from, text } = self;
        let text = text.trim_end();
        format!(
            "<!-- BEGIN {name}: from {from} by {COMMAND} -->\n\n{text}\n\n<!-- END {name} -->\n"
        )
    }
}

/// A part of a report.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'t> {
    Prose(&'t str),
    Generated {
        name: &'t str,
        /// The line of its BEGIN, from one.
        line: u64,
        text: &'t str,
    },
}

/// What is wrong with the markers, and where.
pub(crate) type Wrong = (u64, String);

/// Puts each block of `blocks` where `report` has its markers.
///
/// # Errors
/// If markers are unbalanced, a block is unknown, there twice or not at all.
pub(crate) fn fill(report: &str, blocks: &[Block]) -> Result<String, Wrong> {
    let mut filled = String::with_capacity(report.len());
    for (piece, block) in pair(report, blocks)? {
        match (piece, block) {
            (Piece::Prose(text), _) => filled.push_str(text),
            (Piece::Generated { .. }, Some(block)) => filled.push_str(&block.whole()),
            (Piece::Generated { text, .. }, None) => filled.push_str(text),
        }
    }
    Ok(filled)
}

/// The blocks of `report` that are not what `blocks` says, each with its first line that differs.
///
/// # Errors
/// As [`fill`].
pub(crate) fn differences(
    report: &str,
    blocks: &[Block],
) -> Result<Vec<(u64, &'static str)>, Wrong> {
    let mut differing = Vec::new();
    for (piece, block) in pair(report, blocks)? {
        let (Piece::Generated { line, text, .. }, Some(block)) = (piece, block) else {
            continue;
        };
        let expected = block.whole();
        if text != expected {
            let same = text
                .lines()
                .zip(expected.lines())
                .take_while(|(found, wanted)| found == wanted)
                .count();
            differing.push((line + same as u64, block.name));
        }
    }
    Ok(differing)
}

/// Each piece with its block; all blocks are there once.
fn pair<'t, 'b>(
    report: &'t str,
    blocks: &'b [Block],
) -> Result<Vec<(Piece<'t>, Option<&'b Block>)>, Wrong> {
    let mut seen = BTreeSet::new();
    let mut pairs = Vec::new();
    for piece in pieces(report)? {
        let mut block = None;
        if let Piece::Generated { name, line, .. } = piece {
            block = blocks.iter().find(|block| block.name == name);
            if block.is_none() {
                return Err((line, format!("unknown block {name:?}")));
            }
            if !seen.insert(name) {
                return Err((line, format!("block {name:?} is there twice")));
            }
        }
        pairs.push((piece, block));
    }
    match blocks.iter().find(|block| !seen.contains(block.name)) {
        Some(block) => {
            let last = report.lines().count().max(1) as u64;
            Err((last, format!("block {:?} is missing", block.name)))
        }
        None => Ok(pairs),
    }
}

/// Cuts a report at its markers.
fn pieces(report: &str) -> Result<Vec<Piece<'_>>, Wrong> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str) -> Block {
        Block {
            name: "hold",
            from: String::from("results/x"),
            text: text.to_owned(),
        }
    }

    const EMPTY: &str = "# Title\n\n<!-- BEGIN hold -->\n<!-- END hold -->\ntail";

    #[test]
    fn filling_twice_is_filling_once() {
        let once = fill(EMPTY, &[block("new\n")]).unwrap();
        let expected = "# Title\n\n<!-- BEGIN hold: from results/x by `ptom report` -->\n\nnew\n\n<!-- END hold -->\ntail";
        assert_eq!(once, expected);
        assert_eq!(fill(&once, &[block("new\n")]).unwrap(), once);
        assert_eq!(differences(&once, &[block("new\n")]).unwrap(), []);
    }

    #[test]
    fn a_hand_edit_inside_a_block_is_found_and_outside_it_is_not() {
        let filled = fill(EMPTY, &[block("one\ntwo\n")]).unwrap();
        let inside = filled.replace("two", "2");
        assert_eq!(
            differences(&inside, &[block("one\ntwo\n")]).unwrap(),
            [(6, "hold")]
        );
        let outside = filled.replace("Title", "Another title");
        assert_eq!(differences(&outside, &[block("one\ntwo\n")]).unwrap(), []);
    }

    #[test]
    fn unbalanced_markers_are_errors_with_their_line() {
        for (report, line, problem) in [
            ("<!-- BEGIN hold -->\n", 1, "has no END"),
            ("x\n<!-- END hold -->\n", 2, "does not begin"),
            (
                "<!-- BEGIN hold -->\n<!-- BEGIN hold -->\n",
                2,
                "begins within",
            ),
            ("<!-- BEGIN new -->\n<!-- END new -->\n", 1, "unknown block"),
            ("x\ny\n", 2, "is missing"),
        ] {
            let (at, found) = fill(report, &[block("")]).unwrap_err();
            assert!(at == line && found.contains(problem), "{at}: {found}");
        }
        let twice = EMPTY.replace("tail", "<!-- BEGIN hold -->\n<!-- END hold -->\n");
        assert!(fill(&twice, &[block("")]).unwrap_err().1.contains("twice"));
    }
}
