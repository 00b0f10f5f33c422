//! Tables for people and lines of JSON for programs, from the same rows.
//!
//! Invariant: no colour and no control sequence, so a pipe, a file and a terminal get the same.

pub(crate) mod axes;
mod grid;
mod notes;
pub(crate) mod number;
mod suspends;
mod workloads;

pub use grid::Grid;
pub use suspends::grids as suspend_grids;
pub use workloads::{grids, side_by_side};

use crate::lab::summary::{Row, SuspendRow, missing::SUSPEND};
use serde::Serialize;
use std::io::{self, Write};

/// How rows are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Tables below 100 columns.
    #[default]
    Text,
    /// One JSON object a row and line.
    Json,
}

/// A suspend's line of JSON, marked so that it is told from the others.
#[derive(Serialize)]
struct SuspendLine<'r> {
    workload: &'static str,
    #[serde(flatten)]
    row: &'r SuspendRow,
}

/// Prints rows, then suspends.
///
/// # Errors
/// If `out` cannot be written: a closed pipe is one of kind `BrokenPipe`.
pub fn print(
    out: &mut impl Write,
    rows: &[Row],
    suspends: &[SuspendRow],
    format: Format,
) -> io::Result<()> {
    match format {
        Format::Text => {
            let tables = grids(rows).into_iter().chain(suspend_grids(suspends));
            for (at, grid) in tables.enumerate() {
                if at > 0 {
                    writeln!(out)?;
                }
                out.write_all(grid.text().as_bytes())?;
            }
        }
        Format::Json => {
            for row in rows {
                line(out, row)?;
            }
            for row in suspends {
                let workload = SUSPEND;
                line(out, &SuspendLine { workload, row })?;
            }
        }
    }
    out.flush()
}

fn line(out: &mut impl Write, row: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, row)?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::summary::{self, registered};

    fn printed(format: Format) -> String {
        let run = summary::tests::made_up(20);
        let rows = summary::rows(&run).unwrap();
        let suspends = summary::suspends(&run);
        let mut out = Vec::new();
        print(&mut out, &rows, &suspends, format).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_is_below_a_hundred_columns_and_plain() {
        let text = printed(Format::Text);
        for line in text.lines() {
            assert!(line.chars().count() < 100, "{line}");
            assert!(!line.chars().any(char::is_control), "{line:?}");
        }
        assert!(
            text.contains("unprotected against itself (1 thread): "),
            "{text}"
        );
    }

    #[test]
    fn every_scheme_is_in_every_table() {
        let text = printed(Format::Text);
        for scheme in registered() {
            let rows = text
                .lines()
                .filter(|line| line.split_whitespace().next() == Some(scheme.name))
                .filter(|line| !line.contains("against itself"))
                .count();
            assert_eq!(rows, 9 * 2 + 4 * 2 + 2, "{}", scheme.name);
        }
    }

    /// In tables of one thing that varies, too.
    #[test]
    fn whoever_gives_no_hold_is_marked_wherever_it_stands() {
        let text = printed(Format::Text);
        for peer in summary::tests::peers() {
            let suffix = peer.gives.suffix();
            let label = format!("{}{suffix}", peer.name);
            let lines = || text.lines().filter(|line| line.starts_with(peer.name));
            let rows = lines().filter(|line| !line[peer.name.len()..].starts_with('_'));
            assert!(rows.clone().count() > 9, "{label}");
            for row in rows {
                assert!(row.starts_with(&label), "{row}");
            }
        }
    }

    #[test]
    fn json_is_one_object_a_row() {
        let text = printed(Format::Json);
        let contenders = registered().len() + summary::tests::peers().count();
        assert_eq!(text.lines().count(), contenders * (16 * 2 + 2));
        for line in text.lines() {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(
                row.get("workload").is_some() && row.get("scheme").is_some(),
                "{line}"
            );
        }
    }
}
