//! What a replay is to be, the machine that it needs, and why there may be none.

use crate::backend::Native;
use crate::lab::memory;
use crate::lab::trace::Script;
use crate::pmap::PmapError;
use crate::scheme::Scheme;
use crate::xen::machine::BadConfig;
use crate::xen::{Config, Machine};
use std::fmt;
use std::time::Duration;

/// How a trace is replayed.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// vCPUs that each run a clone; the suspender has one more.
    pub vcpus: usize,
    /// Times each clone is run through.
    pub passes: u64,
    /// From one suspend to the next.
    pub every: Duration,
    /// Operations of a clone from one quiescent point to the next; 1 is after each, as a kernel that has one at each
    /// return to user mode. Schemes that need none do nothing there.
    pub quiescent_every: u64,
    /// Injections in the whole run, at most; 0 for none.
    pub inject: u64,
    /// Where injections fall, and how derangements permute.
    pub seed: u64,
}

/// Why a trace could not be replayed at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayError {
    /// No machine is large enough.
    TooLarge,
    /// The guest did not boot.
    Boot(PmapError),
    /// A thread of the replay panicked, and said why.
    Panicked,
}

impl From<BadConfig> for ReplayError {
    fn from(_: BadConfig) -> Self {
        ReplayError::TooLarge
    }
}

impl From<PmapError> for ReplayError {
    fn from(error: PmapError) -> Self {
        ReplayError::Boot(error)
    }
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReplayError::TooLarge => {
                f.write_str("the trace needs a larger machine than there is; use fewer vCPUs")
            }
            ReplayError::Boot(error) => write!(f, "the simulated guest did not boot: {error}"),
            ReplayError::Panicked => f.write_str(
                "a vCPU of the replay panicked: a fault of ptom's own, please report it",
            ),
        }
    }
}

impl std::error::Error for ReplayError {}

/// Pages of the guest that holds `clones` clones of a trace, with a quarter to spare, and its kernel's room.
fn pages_for(script: &Script, clones: usize) -> u64 {
    let clone = u64::from(script.frames) + script.stats.peak_tables + u64::from(script.spaces);
    // A vCPU's cache of free pages is out of the others' reach.
    (clone * 5 / 4 + 256) * clones as u64 + 256
}

/// A machine for `clones` clones of a trace.
///
/// # Errors
/// [`ReplayError::TooLarge`].
pub fn machine_for<S: Scheme<Native>>(
    script: &Script,
    clones: usize,
) -> Result<Machine<Native, S>, ReplayError> {
    Ok(Machine::new(Config::new(
        pages_for(script, clones),
        clones + 1,
    ))?)
}

/// Bytes that a replay of `clones` clones takes at its fullest: the machine; with migrations two of it, a
/// stream in which every page goes twice, what its reader knows of each, and two guests' [`End`](super::End)s.
pub fn memory_for(script: &Script, clones: usize, migrate: bool) -> u64 {
    let pages = pages_for(script, clones);
    let machine = memory::machine(pages, u64::from(script.spaces) * clones as u64);
    if migrate {
        2 * machine + pages * (2 * 4_104 + 500)
    } else {
        machine
    }
}
