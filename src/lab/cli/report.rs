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

/// The report lies beside the results, and so may a README that quotes it.
fn beside(results: &Path) -> (PathBuf, Option<PathBuf>) {
    let readme = results.with_file_name("README.md");
    let quotes =
        std::fs::read_to_string(&readme).is_ok_and(|text| text.contains("<!-- BEGIN answer"));
    (
        results.with_file_name("report.md"),
        quotes.then_some(readme),
    )
}

/// Makes report.md and its plots anew.
pub(super) fn write(results: &Path) -> Result<(), Error> {
    let failed = |e: ResultsError| Error::Failed(e.to_string());
    let (report, readme) = beside(results);
    let mut changed = report::generate(results, &report).map_err(failed)?;
    if let Some(readme) = readme
        && report::generate_excerpt(results, &readme).map_err(failed)?
    {
        changed.push(readme);
    }
    for path in changed {
        complain(&format!("wrote {}", path.display()));
    }
    Ok(())
}

/// Fails with one line a difference.
fn check(results: &Path) -> Result<(), Error> {
    let (report, readme) = beside(results);
    let mut differences = report::check(results, &report).err().unwrap_or_default();
    if let Some(readme) = readme {
        let excerpt = report::check_excerpt(results, &readme);
        differences.extend(excerpt.err().unwrap_or_default());
    }
    if differences.is_empty() {
        return Ok(());
    }
    for difference in &differences {
        complain(&difference.to_string());
    }
    Err(Error::Failed(format!(
        "report.md does not follow from {}; `ptom report` rewrites it",
        results.display()
    )))
}
