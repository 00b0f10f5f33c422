//! What can be wrong with a trace, each said in one line that names the source and the cure.
//!
//! Invariant: the text of an error never spans lines, whatever the trace contains.

use std::error::Error;
use std::fmt;
use std::io;
use std::string::String;

/// Why a trace could not be used.
#[derive(Debug)]
pub struct TraceError {
    /// The source, as a person would name it: a path, `standard input`.
    pub source: String,
    /// What is wrong with it.
    pub kind: TraceErrorKind,
}

/// The ways a trace can be unusable.
#[derive(Debug)]
#[non_exhaustive]
pub enum TraceErrorKind {
    /// It cannot be opened.
    Open(io::Error),
    /// Reading fails for a reason that is not its contents.
    Read(io::Error),
    /// There is not one byte in it.
    Empty,
    /// Its compressed data ends early.
    CompressedCut {
        /// `gzip` or `xz`.
        packer: &'static str,
    },
    /// Its compressed data is damaged, or asks for more memory than a trace can need.
    CompressedDamaged {
        /// `gzip` or `xz`.
        packer: &'static str,
        /// What the decoder says.
        detail: String,
    },
    /// Its last line has no end and says nothing: the text was cut.
    TextCut {
        /// The number of that line, from one.
        line: u64,
    },
    /// It is the binary file that `perf record` writes.
    PerfData,
    /// It is something else altogether.
    Foreign {
        /// What gives it away.
        reason: String,
    },
    /// It has page faults, but they carry no addresses.
    NoAddresses,
}

/// How a trace is recorded and printed, for the errors that end with it.
const RECORD: &str = "record with `perf record -e page-faults -c 1 -d` and print with `perf script -F comm,pid,tid,time,event,addr --show-task-events --show-mmap-events`";

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.source.escape_debug())?;
        match &self.kind {
            TraceErrorKind::Open(error) => write!(f, "cannot be opened: {error}"),
            TraceErrorKind::Read(error) => write!(f, "cannot be read: {error}"),
            TraceErrorKind::Empty => {
                write!(f, "is empty, not the output of perf script: {RECORD}")
            }
            TraceErrorKind::CompressedCut { packer } => write!(
                f,
                "the {packer} data ends too early, the file is cut off: copy or compress it again"
            ),
            TraceErrorKind::CompressedDamaged { packer, detail } => write!(
                f,
                "the {packer} data is damaged ({detail}): copy or compress it again"
            ),
            TraceErrorKind::TextCut { line } => write!(
                f,
                "line {line}, the last, is cut in half: copy the file again or run perf script again"
            ),
            TraceErrorKind::PerfData => write!(
                f,
                "this is perf.data, the binary that perf record writes: run `perf script -i FILE -F comm,pid,tid,time,event,addr --show-task-events --show-mmap-events` first and use what it prints"
            ),
            TraceErrorKind::Foreign { reason } => {
                write!(f, "not the output of perf script: {reason}; {RECORD}")
            }
            TraceErrorKind::NoAddresses => write!(
                f,
                "its page faults carry no addresses (recorded without -d, or printed without addr): {RECORD}"
            ),
        }
    }
}

impl Error for TraceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            TraceErrorKind::Open(error) | TraceErrorKind::Read(error) => Some(error),
            _ => None,
        }
    }
}
