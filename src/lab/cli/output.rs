//! Standard output that may close, and standard error.

use super::Error;
use crate::lab::summary::{Row, SuspendRow};
use crate::lab::table;
use serde::Serialize;
use std::io::{BufWriter, ErrorKind, Stdout, Write, stderr, stdout};

/// How rows are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Aligned columns, for eyes.
    #[default]
    Table,
    /// One JSON object a line, for programs.
    Json,
}

/// Standard output. `println!` would panic when the reader has left.
#[derive(Debug)]
pub(super) struct Out(BufWriter<Stdout>);

impl Out {
    pub(super) fn new() -> Self {
        Self(BufWriter::new(stdout()))
    }

    pub(super) fn text(&mut self, text: &str) -> Result<(), Error> {
        self.0.write_all(text.as_bytes()).map_err(closed)
    }

    pub(super) fn line(&mut self, line: &str) -> Result<(), Error> {
        writeln!(self.0, "{line}").map_err(closed)
    }

    pub(super) fn json(&mut self, row: &impl Serialize) -> Result<(), Error> {
        let json = serde_json::to_string(row).map_err(|e| Error::Failed(e.to_string()))?;
        self.line(&json)
    }

    /// The tables of a comparison.
    pub(super) fn tables(
        &mut self,
        rows: &[Row],
        suspends: &[SuspendRow],
        format: Format,
    ) -> Result<(), Error> {
        let format = match format {
            Format::Table => table::Format::Text,
            Format::Json => table::Format::Json,
        };
        table::print(&mut self.0, rows, suspends, format).map_err(closed)
    }

    /// Rows as columns as wide as their widest cell; the first row is the heading. Columns from
    /// `right` on are aligned at the right.
    pub(super) fn columns(&mut self, rows: &[Vec<String>], right: usize) -> Result<(), Error> {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in rows {
            let cells = row.iter().zip(&widths).enumerate();
            let cells = cells.map(|(at, (cell, &width))| {
                if at < right {
                    format!("{cell:width$}")
                } else {
                    format!("{cell:>width$}")
                }
            });
            let line = cells.collect::<Vec<_>>().join("  ");
            self.line(line.trim_end())?;
        }
        Ok(())
    }

    pub(super) fn flush(&mut self) -> Result<(), Error> {
        self.0.flush().map_err(closed)
    }
}

fn closed(error: std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::BrokenPipe => Error::Closed,
        _ => Error::Failed(format!("cannot write the output: {error}")),
    }
}

/// One line on standard error; if nobody listens there, there is nobody to tell.
pub(super) fn complain(line: &str) {
    let _ = writeln!(stderr(), "ptom: {line}");
}
