//! What was found last time: the files of the results directory.

use super::audit::row::Row as Weakened;
use super::record::{MODELS, ORDERINGS};
use super::sampled::Table;
use super::table::{self, Row};
use serde::de::DeserializeOwned;
use std::io;
use std::path::Path;

/// The rows.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) models: Vec<Row>,
    pub(super) orderings: Vec<Weakened>,
    sampled: Vec<(Table, Vec<Vec<String>>)>,
}

impl Recorded {
    /// Reads all files.
    ///
    /// # Errors
    /// If one cannot be read, in one line that says what to do.
    pub(super) fn read(results: &Path) -> io::Result<Self> {
        let tables = [
            Table::Schedules,
            Table::Progress,
            Table::Snapshots,
            Table::Stress,
            Table::Litmus,
        ];
        let sampled = tables.map(|table| Ok((table, rows(results, table.file())?)));
        Ok(Self {
            models: rows(results, MODELS)?,
            orderings: rows(results, ORDERINGS)?,
            sampled: sampled.into_iter().collect::<io::Result<_>>()?,
        })
    }

    /// The rows of a scheme's weakenings.
    pub(super) fn orderings_of<'a>(
        &'a self,
        scheme: &'a str,
    ) -> impl Iterator<Item = &'a Weakened> {
        self.orderings
            .iter()
            .filter(move |row| row.scheme == scheme)
    }

    /// Whether a table has a row that is about the same as this one.
    pub(super) fn has(&self, table: Table, fields: &[String]) -> bool {
        let key = |row: &[String]| {
            let row: Vec<&str> = row.iter().map(String::as_str).collect();
            table.key(&row).join("/")
        };
        let key_of_fields = key(fields);
        let mut rows = self.sampled.iter().filter(|of| of.0 == table);
        rows.any(|(_, rows)| rows.iter().any(|row| key(row) == key_of_fields))
    }
}

/// How to make a file agree with what is found, once that is what is expected.
pub(super) fn stale(file: &str) -> String {
    let what = file.trim_end_matches(".csv");
    let what = what.trim_end_matches("-native").replace("litmus", "stress");
    format!("{file} is stale: give this program the words `record {what}`")
}

fn rows<R: DeserializeOwned>(results: &Path, file: &str) -> io::Result<Vec<R>> {
    match table::read(&results.join(file)) {
        // Then every row is missing, and each test says so.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(io::Error::other(format!("{error}; {}", stale(file)))),
        Ok(rows) => Ok(rows),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_cannot_be_read_is_one_line_that_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Recorded::read(folder.path()).unwrap().models.is_empty());
        let header =
            "scheme,model,readers,bound,executions,complete,verdict,expected,finding,seconds";
        let wrong = [
            ("models.csv", "scheme,model\npercpu,exclusion\n".to_owned()),
            (
                "models.csv",
                format!("{header},more\na,b,1,,1,yes,pass,pass,,0.1,\n"),
            ),
            (
                "models.csv",
                format!("{header}\na,b,many,,1,yes,pass,pass,,0.1\n"),
            ),
            ("models.csv", format!("{header}\na,b\n")),
            ("orderings.csv", "scheme\npercpu\n".to_owned()),
            ("schedules.csv", "scheme,world\npercpu\n".to_owned()),
        ];
        for (file, text) in wrong {
            fs::write(folder.path().join(file), &text).unwrap();
            let error = Recorded::read(folder.path()).unwrap_err().to_string();
            assert_eq!(error.lines().count(), 1, "{error}");
            let what = file.trim_end_matches(".csv");
            assert!(error.contains(file), "{error}");
            assert!(error.ends_with(&format!("`record {what}`")), "{error}");
            fs::remove_file(folder.path().join(file)).unwrap();
        }
    }
}
