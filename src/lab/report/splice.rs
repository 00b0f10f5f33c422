//! Filling what is between markers, and finding what is not as it was filled.
//!
//! Invariant: filling changes nothing but what is between markers and what a BEGIN says after its
//! name, and filling twice is filling once.

use super::markers::{Piece, Wrong, pieces};
use std::collections::BTreeSet;

/// What goes between a pair of markers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Its name.
    pub(super) name: &'static str,
    /// The files it is made of, as the marker names them.
    pub(super) from: String,
    /// Its text; the space around it is not kept.
    pub(super) text: String,
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

/// What a file with markers must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Every block once, and no other.
    Whole,
    /// Any blocks; those of other names are somebody else's.
    Excerpt,
}

/// Puts each block of `blocks` where `report` has its markers.
///
/// # Errors
/// If markers are unbalanced, a block is there twice or, in the whole report, unknown or missing.
pub(super) fn fill(report: &str, blocks: &[Block], extent: Extent) -> Result<String, Wrong> {
    let mut filled = String::with_capacity(report.len());
    for (piece, block) in pair(report, blocks, extent)? {
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
pub(super) fn differences(
    report: &str,
    blocks: &[Block],
    extent: Extent,
) -> Result<Vec<(u64, &'static str)>, Wrong> {
    let mut differing = Vec::new();
    for (piece, block) in pair(report, blocks, extent)? {
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

/// Each piece with its block, which is there once.
fn pair<'t, 'b>(
    report: &'t str,
    blocks: &'b [Block],
    extent: Extent,
) -> Result<Vec<(Piece<'t>, Option<&'b Block>)>, Wrong> {
    let mut seen = BTreeSet::new();
    let mut pairs = Vec::new();
    for piece in pieces(report)? {
        let mut block = None;
        if let Piece::Generated { name, line, .. } = piece {
            block = blocks.iter().find(|block| block.name == name);
            if block.is_none() && extent == Extent::Whole {
                return Err((line, format!("unknown block {name:?}")));
            }
            if block.is_some() && !seen.insert(name) {
                return Err((line, format!("block {name:?} is there twice")));
            }
        }
        pairs.push((piece, block));
    }
    match blocks.iter().find(|block| !seen.contains(block.name)) {
        Some(block) if extent == Extent::Whole => {
            let last = report.lines().count().max(1) as u64;
            Err((last, format!("block {:?} is missing", block.name)))
        }
        _ => Ok(pairs),
    }
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
        let once = fill(EMPTY, &[block("new\n")], Extent::Whole).unwrap();
        let expected = "# Title\n\n<!-- BEGIN hold: from results/x by `ptom report` -->\n\nnew\n\n<!-- END hold -->\ntail";
        assert_eq!(once, expected);
        assert_eq!(fill(&once, &[block("new\n")], Extent::Whole).unwrap(), once);
        assert_eq!(
            differences(&once, &[block("new\n")], Extent::Whole).unwrap(),
            []
        );
    }

    #[test]
    fn a_hand_edit_inside_a_block_is_found_and_outside_it_is_not() {
        let filled = fill(EMPTY, &[block("one\ntwo\n")], Extent::Whole).unwrap();
        let inside = filled.replace("two", "2");
        assert_eq!(
            differences(&inside, &[block("one\ntwo\n")], Extent::Whole).unwrap(),
            [(6, "hold")]
        );
        let outside = filled.replace("Title", "Another title");
        assert_eq!(
            differences(&outside, &[block("one\ntwo\n")], Extent::Whole).unwrap(),
            []
        );
    }

    #[test]
    fn an_excerpt_has_what_blocks_it_likes_and_foreign_ones() {
        let foreign = "<!-- BEGIN foreign -->\n<!-- END foreign -->\n";
        let fill = |text| fill(text, &[block("new")], Extent::Excerpt);
        assert_eq!(fill(foreign).unwrap(), foreign);
        assert_eq!(fill("prose").unwrap(), "prose");
        assert!(fill(EMPTY).unwrap().contains("\nnew\n"));
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
            let (at, found) = fill(report, &[block("")], Extent::Whole).unwrap_err();
            assert!(at == line && found.contains(problem), "{at}: {found}");
        }
        let twice = EMPTY.replace("tail", "<!-- BEGIN hold -->\n<!-- END hold -->\n");
        assert!(
            fill(&twice, &[block("")], Extent::Whole)
                .unwrap_err()
                .1
                .contains("twice")
        );
    }
}
