//! `ptom report`: report.md from the results, and nothing else.

use super::Error;
use super::output::Out;
use std::path::PathBuf;

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
    let what = if args.check { "check" } else { "write" };
    let dir = args.results.display();
    Err(Error::Failed(format!(
        "cannot {what} a report from {dir}: not wired yet"
    )))
}
