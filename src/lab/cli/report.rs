//! `ptom report`: report.md from the results, and nothing else.

use super::Error;
use super::output::{Out, complain};
use crate::lab::report;
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

/// The report lies beside the results.
fn beside(results: &Path) -> PathBuf {
    results.with_file_name("report.md")
}

/// Makes report.md and its plots anew.
pub(super) fn write(results: &Path) -> Result<(), Error> {
    let changed = report::generate(results, &beside(results));
    let changed = changed.map_err(|e| Error::Failed(e.to_string()))?;
    for path in changed {
        complain(&format!("wrote {}", path.display()));
    }
    Ok(())
}

/// Fails with one line a difference.
fn check(results: &Path) -> Result<(), Error> {
    let Err(differences) = report::check(results, &beside(results)) else {
        return Ok(());
    };
    for difference in &differences {
        complain(&difference.to_string());
    }
    Err(Error::Failed(format!(
        "report.md does not follow from {}; `ptom report` rewrites it",
        results.display()
    )))
}
