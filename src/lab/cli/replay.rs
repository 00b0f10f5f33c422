//! `ptom replay`: a recorded trace, on the simulated machine.

use super::output::{Format, Out};
use super::{Error, names};
use std::path::PathBuf;

/// What `ptom replay` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The trace.
    trace: PathBuf,
    /// Which schemes; all of them by default.
    #[arg(long = "scheme", value_name = "NAME", value_delimiter = ',')]
    schemes: Vec<String>,
    /// vCPUs: each replays a clone of the trace.
    #[arg(long, visible_alias = "threads", value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=1_024))]
    vcpus: u32,
    /// Injections: readers that keep a hold across a suspend, if the scheme lets them.
    #[arg(long, value_name = "N", default_value_t = 0)]
    inject: u32,
    /// What the frames' new places are drawn from.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Suspend once in so many events.
    #[arg(long, value_name = "EVENTS",
          value_parser = clap::value_parser!(u64).range(1..))]
    suspend_every: Option<u64>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(args: &Args, _out: &mut Out) -> Result<(), Error> {
    let _selection = names::selection(&args.schemes)?;
    let trace = args.trace.display();
    if let Err(error) = std::fs::File::open(&args.trace) {
        return Err(Error::Failed(format!("cannot read {trace}: {error}")));
    }
    Err(Error::Failed(format!(
        "cannot replay {trace}: not wired yet"
    )))
}
