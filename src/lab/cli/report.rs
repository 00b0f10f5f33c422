//! `ptom report`: report.md from the results, and nothing else.

use super::Error;
use super::output::{Out, complain};
use crate::lab::report;
use crate::lab::store::ResultsError;
use std::path::{Path, PathBuf};

/// What `ptom report` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Write nothing; fail if report.md is not what the results say.
    #[arg(long)]
    check: bool,
    /// Where the results are.
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
}

pub(super) fn run(args: &Args, _out: &mut Out) -> Result<(), Error> {
    if args.check {
        check(&args.results)
    } else {
        write(&args.results)
    }
}

/// Files beside the results that may quote the report.
const QUOTING: [&str; 2] = ["README.md", "docs/method.md"];

/// The report lies beside the results, and so do those that quote it.
fn beside(results: &Path) -> (PathBuf, Vec<PathBuf>) {
    let quotes = |path: &PathBuf| {
        std::fs::read_to_string(path).is_ok_and(|text| text.contains("<!-- BEGIN "))
    };
    let quoting = QUOTING.map(|name| results.with_file_name(name));
    (
        results.with_file_name("report.md"),
        quoting.into_iter().filter(quotes).collect(),
    )
}

/// Makes report.md and its plots anew, and what is quoted from it.
pub(super) fn write(results: &Path) -> Result<(), Error> {
    let failed = |e: ResultsError| Error::Failed(e.to_string());
    let (report, quoting) = beside(results);
    let mut changed = report::generate(results, &report).map_err(failed)?;
    for file in quoting {
        if report::generate_excerpt(results, &file).map_err(failed)? {
            changed.push(file);
        }
    }
    for path in changed {
        complain(&format!("wrote {}", path.display()));
    }
    Ok(())
}

/// Fails with one line a difference.
fn check(results: &Path) -> Result<(), Error> {
    let (report, quoting) = beside(results);
    let mut differences = report::check(results, &report).err().unwrap_or_default();
    for file in quoting {
        let excerpt = report::check_excerpt(results, &file);
        differences.extend(excerpt.err().unwrap_or_default());
    }
    if differences.is_empty() {
        return Ok(());
    }
    for difference in &differences {
        complain(&difference.to_string());
    }
    Err(Error::Failed(format!(
        "report.md, or what quotes it, does not follow from {}; `ptom report` rewrites it",
        results.display()
    )))
}
