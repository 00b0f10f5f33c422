//! Strict CSV: the columns are those of the row type, all of them, and every field is of its type.
//!
//! Invariant: a file that was cut, extended or edited into another shape is an error that names the
//! file and the line. An empty file is never "no rows".

use super::error::{ResultsError, shown};
use csv::StringRecord;
use serde::de::DeserializeOwned;
use std::fs;
use std::path::Path;

/// Reads the rows of `path`, whose columns must be `header` in any order, each with its line.
///
/// `cure` ends the message of every error about the contents, `missing` that of an absent file.
pub(crate) fn read<T: DeserializeOwned>(
    path: &Path,
    header: &[&str],
    missing: &'static str,
    cure: &'static str,
) -> Result<Vec<(u64, T)>, ResultsError> {
    read_since(path, header, &[], (missing, cure))
}

/// The same for a file that has gained columns: older ones lack all of a group of `later`, a part of `header`
/// each.
pub(crate) fn read_since<T: DeserializeOwned>(
    path: &Path,
    header: &[&str],
    later: &[&[&str]],
    (missing, cure): (&'static str, &'static str),
) -> Result<Vec<(u64, T)>, ResultsError> {
    let text = fs::read(path).map_err(|cause| ResultsError::reading(path, cause, missing))?;
    let malformed = |line, problem| ResultsError::Malformed {
        path: shown(path),
        line,
        problem,
        cure,
    };
    if text.is_empty() {
        return Err(malformed(1, String::from("the file is empty")));
    }
    let mut reader = csv::Reader::from_reader(text.as_slice());
    let found = match reader.headers() {
        Ok(found) => found.clone(),
        Err(error) => return Err(malformed(1, describe(&error, &StringRecord::new()))),
    };
    let lacks = |group: &&&[&str]| !found.iter().any(|name| group.contains(&name));
    let older: Vec<&[&str]> = later.iter().filter(lacks).copied().collect();
    let wanted: Vec<&str> = header
        .iter()
        .copied()
        .filter(|name| !older.iter().any(|group| group.contains(name)))
        .collect();
    columns(&found, &wanted).map_err(|problem| malformed(1, problem))?;
    if text.last() != Some(&b'\n') {
        let last = text.split(|byte| *byte == b'\n').count() as u64;
        return Err(malformed(last, String::from("the last line is cut off")));
    }
    let mut rows = Vec::new();
    let mut record = StringRecord::new();
    loop {
        let line = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(rows),
            Ok(true) => {
                let line = record.position().map_or(line, csv::Position::line);
                match record.deserialize(Some(&found)) {
                    Ok(row) => rows.push((line, row)),
                    Err(error) => return Err(malformed(line, describe(&error, &found))),
                }
            }
            Err(error) => {
                let line = error.position().map_or(line, csv::Position::line);
                return Err(malformed(line, describe(&error, &found)));
            }
        }
    }
}

/// Compares the columns found with those that must be there.
fn columns(found: &StringRecord, header: &[&str]) -> Result<(), String> {
    for (at, name) in found.iter().enumerate() {
        if !header.contains(&name) {
            return Err(format!("unknown column {name:?}"));
        }
        if found.iter().take(at).any(|earlier| earlier == name) {
            return Err(format!("column {name:?} is there twice"));
        }
    }
    match header
        .iter()
        .find(|name| !found.iter().any(|f| f == **name))
    {
        Some(name) => Err(format!("column {name:?} is missing")),
        None => Ok(()),
    }
}

/// A CSV error without its position, which the caller prints, and on one line.
fn describe(error: &csv::Error, columns: &StringRecord) -> String {
    let text = match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("{len} fields where there must be {expected_len}"),
        csv::ErrorKind::Deserialize { err, .. } => {
            let column = err.field().and_then(|field| columns.get(field as usize));
            format!("column {}: {}", column.unwrap_or("?"), err.kind())
        }
        csv::ErrorKind::Utf8 { .. } => String::from("not UTF-8"),
        _ => error.to_string(),
    };
    text.escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Pair {
        name: String,
        ns: f64,
    }

    fn parse(text: &str) -> Result<Vec<(u64, Pair)>, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pairs.csv");
        fs::write(&path, text).unwrap();
        read(&path, &["name", "ns"], "make it", "mend it").map_err(|error| {
            let text = error.to_string();
            assert_eq!(text.lines().count(), 1, "{text:?}");
            text.split("pairs.csv:").last().unwrap_or("").to_owned()
        })
    }

    #[test]
    fn columns_in_any_order() {
        let rows = parse("ns,name\n1.5,a\n").unwrap();
        let expected = Pair {
            name: String::from("a"),
            ns: 1.5,
        };
        assert_eq!(rows, [(2, expected)]);
    }

    #[test]
    fn each_wrong_shape_is_named_with_its_line() {
        for (text, error) in [
            ("", "1: the file is empty: mend it"),
            ("name,ns,more\n", "1: unknown column \"more\": mend it"),
            ("name,ns,ns\n", "1: column \"ns\" is there twice: mend it"),
            ("name\n", "1: column \"ns\" is missing: mend it"),
            ("name,ns\na,1.5\nb", "3: the last line is cut off: mend it"),
            (
                "name,ns\na,1.5\nb\n",
                "3: 1 fields where there must be 2: mend it",
            ),
            (
                "name,ns\na,x\n",
                "2: column ns: invalid float literal: mend it",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err(), error, "{text:?}");
        }
    }

    #[test]
    fn a_missing_file_says_what_makes_it() {
        let gone = Path::new("nowhere/pairs.csv");
        let error = read::<Pair>(gone, &[], "make it", "mend it").unwrap_err();
        assert_eq!(error.to_string(), "nowhere/pairs.csv: is missing: make it");
    }
}
