//! Rows as CSV: to standard output as they come, and kept for the file.

use std::fmt::Display;
use std::io::{self, Write, stdout};

/// The rows so far.
#[derive(Debug)]
pub struct Table {
    csv: csv::Writer<Vec<u8>>,
    /// Rows that are not as expected.
    pub surprises: usize,
}

impl Table {
    /// Prints the heading.
    pub(super) fn new(header: &[&str]) -> io::Result<Self> {
        let mut table = Self {
            csv: csv::Writer::from_writer(Vec::new()),
            surprises: 0,
        };
        table.put(header.iter())?;
        Ok(table)
    }

    /// Prints a row at once, so that an interrupt loses only the one under way.
    pub(super) fn row(&mut self, fields: &[&dyn Display], surprise: bool) -> io::Result<()> {
        self.surprises += usize::from(surprise);
        self.put(fields.iter())
    }

    fn put(&mut self, fields: impl Iterator<Item = impl Display>) -> io::Result<()> {
        self.csv.flush()?;
        let before = self.csv.get_ref().len();
        self.csv.write_record(fields.map(|f| f.to_string()))?;
        self.csv.flush()?;
        let mut out = stdout().lock();
        out.write_all(&self.csv.get_ref()[before..])?;
        out.flush()
    }

    /// Everything, as the file has it.
    pub(super) fn into_bytes(self) -> io::Result<Vec<u8>> {
        self.csv.into_inner().map_err(|e| e.into_error())
    }
}
