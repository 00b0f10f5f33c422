//! Traces of real programs: a page-fault recording becomes a list of pmap operations.
//!
//! # Recording
//!
//! ```text
//! perf record -e page-faults -c 1 -d -o T.data -- COMMAND
//! perf script -i T.data -F comm,pid,tid,time,event,addr --show-task-events --show-mmap-events > T.perf
//! ```
//!
//! The event is a software one, so this works in a virtual machine too. `T.perf` may be packed with
//! gzip or xz. Lines about anything else, and further columns, are passed over.
//!
//! # What comes of it
//!
//! [`load`] reads a [`Source`] and rebuilds the processes into a [`Script`]: spaces that are made,
//! forked and destroyed, frames that are taken and freed, and `pmap_enter`, `pmap_remove` and
//! `pmap_protect` in between. perf does not record everything that a kernel does, so rules fill the
//! gaps, and [`Stats`] counts every guess. The same trace always gives the same script.
//!
//! Every fault is one [`Op::Enter`]. Linux maps up to sixteen neighbours along with a file's page
//! that it has at hand, which leaves no record and is not rebuilt.
//!
//! The parts, each on top of those before it: [`perf`] parses a line, `source` finds and unpacks
//! the text, `read` makes events of it, `region`, `frames` and `machine` keep the state and write
//! the ops, `process` knows who runs where, `rebuild` holds the rules.

mod error;
mod frames;
mod machine;
pub mod perf;
mod process;
mod read;
mod rebuild;
mod region;
pub mod script;
mod source;
#[cfg(test)]
mod tests;

pub use error::{TraceError, TraceErrorKind};
pub use script::{Frame, Op, Script, Space, Stats};
pub use source::Source;

/// The trace that is part of the program, packed, and its name: a few shell pipelines.
pub const EMBEDDED: (&str, &[u8]) = (
    "shell.perf.xz",
    include_bytes!("../../../traces/shell.perf.xz"),
);

/// Every trace that is part of the program: [`EMBEDDED`], a build by gcc and make, one by cargo.
pub const ALL_EMBEDDED: [(&str, &[u8]); 3] = [
    EMBEDDED,
    (
        "gcc-make.perf.xz",
        include_bytes!("../../../traces/gcc-make.perf.xz"),
    ),
    (
        "cargo-build.perf.xz",
        include_bytes!("../../../traces/cargo-build.perf.xz"),
    ),
];

/// Reads a trace and rebuilds it.
///
/// Costs well under a second for a few megabytes of text; memory in proportion to the records.
///
/// # Errors
///
/// If the source cannot be opened or read, is cut off or damaged, or is not what `perf script`
/// prints of page faults. The message is one line that names the source and says what to do.
///
/// # Examples
///
/// ```
/// use ptom::lab::trace::{Source, load};
///
/// let script = load(&Source::embedded())?;
/// assert_eq!(script.stats.faults, 7_450);
/// # Ok::<(), ptom::lab::trace::TraceError>(())
/// ```
pub fn load(source: &Source) -> Result<Script, TraceError> {
    let (events, stats) = read::read(source)?;
    Ok(rebuild::rebuild(&events, stats))
}
