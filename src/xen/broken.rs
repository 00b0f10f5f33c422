//! A broken invariant: which, where, and how it is said.

use super::number::{Pfn, RawMfn};
use super::recount::Counts;
use core::fmt;

/// The deepest that Solaris's `t_xpvcntr`, a `uint8_t`, can count.
pub(super) const DEEPEST: u64 = 255;

/// A broken invariant, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Broken {
    /// I1: arguments from another incarnation.
    StaleUse { vcpu: usize, times: u64 },
    /// I1: arguments that named another frame than the one meant.
    WrongFrame { vcpu: usize, times: u64 },
    /// I2: a hold was live at the suspend hypercall.
    HeldAtSuspend { vcpu: usize, times: u64 },
    /// I2: updates were queued at the suspend hypercall.
    QueuedAtSuspend { vcpu: usize, updates: u64 },
    /// I2: entries of pinned tables named another table of their level; the last of them.
    LinkedAtSuspend {
        entries: u64,
        table: Pfn,
        index: usize,
    },
    /// I3: the P2M has a frame that the M2P says to be another PFN's, or none of the guest's.
    NotInverse { pfn: Pfn, mfn: RawMfn },
    /// I3: a frame's counts are not the references to it.
    Miscounted {
        mfn: RawMfn,
        recorded: Counts,
        found: Counts,
    },
    /// I3: an entry of a validated table names a frame of a wrong type.
    Mistyped { table: RawMfn, index: usize },
    /// I3: counts would have gone below 0 or past their end, or writes were lost.
    LostCount { times: u64 },
    /// I4: a vCPU is in a hold, though nobody runs.
    Deep { vcpu: usize, depth: u64 },
    /// I4: a vCPU was deeper in holds than a `uint8_t` counts.
    TooDeep { vcpu: usize, depth: u64 },
    /// I7: a ring of start_info's is no MFN of the guest's.
    Ring { name: &'static str, found: u64 },
    /// I7: a loaded root is none of the guest's frames.
    Root { vcpu: usize, mfn: RawMfn },
    /// I7: the P2M's frame list is none of the guest's frames.
    FrameList { mfn: RawMfn },
    /// I7: a live pmap's recursive slot does not name its root.
    Recursive { root: Pfn, found: u64 },
}

impl Broken {
    /// Which invariant it is, 1 to 7.
    pub fn invariant(self) -> u32 {
        match self {
            Broken::StaleUse { .. } | Broken::WrongFrame { .. } => 1,
            Broken::HeldAtSuspend { .. }
            | Broken::QueuedAtSuspend { .. }
            | Broken::LinkedAtSuspend { .. } => 2,
            Broken::NotInverse { .. }
            | Broken::Miscounted { .. }
            | Broken::Mistyped { .. }
            | Broken::LostCount { .. } => 3,
            Broken::Deep { .. } | Broken::TooDeep { .. } => 4,
            Broken::Ring { .. }
            | Broken::Root { .. }
            | Broken::FrameList { .. }
            | Broken::Recursive { .. } => 7,
        }
    }

    /// How often it was broken there.
    pub fn times(self) -> u64 {
        match self {
            Broken::StaleUse { times, .. }
            | Broken::WrongFrame { times, .. }
            | Broken::HeldAtSuspend { times, .. }
            | Broken::LostCount { times } => times,
            Broken::QueuedAtSuspend { updates, .. } => updates,
            Broken::LinkedAtSuspend { entries, .. } => entries,
            _ => 1,
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "I{}: ", self.invariant())?;
        match *self {
            Broken::StaleUse { vcpu, times } => {
                write!(f, "vCPU {vcpu} used {times} MFNs of another incarnation")
            }
            Broken::WrongFrame { vcpu, times } => {
                write!(f, "vCPU {vcpu} named {times} frames that it did not mean")
            }
            Broken::HeldAtSuspend { vcpu, times } => {
                write!(f, "vCPU {vcpu} was in a hold at {times} suspend hypercalls")
            }
            Broken::QueuedAtSuspend { vcpu, updates } => write!(
                f,
                "vCPU {vcpu} had {updates} updates queued at suspend hypercalls"
            ),
            Broken::LinkedAtSuspend {
                entries,
                table,
                index,
            } => write!(
                f,
                "{entries} entries named another table of their level at suspend hypercalls, the last \
                 of them entry {index} of PFN {}",
                table.0
            ),
            Broken::NotInverse { pfn, mfn } => write!(
                f,
                "PFN {} has MFN {} in the P2M, of which the M2P or its owner says otherwise",
                pfn.0, mfn.0
            ),
            Broken::Miscounted {
                mfn,
                recorded,
                found,
            } => write!(
                f,
                "MFN {} has on record {recorded}, but there are {found}",
                mfn.0
            ),
            Broken::Mistyped { table, index } => write!(
                f,
                "entry {index} of the table at MFN {} names a frame of a wrong type",
                table.0
            ),
            Broken::LostCount { times } => {
                write!(f, "{times} counts left their range, or writes were lost")
            }
            Broken::Deep { vcpu, depth } => {
                write!(f, "vCPU {vcpu} is {depth} deep in holds at rest")
            }
            Broken::TooDeep { vcpu, depth } => {
                write!(f, "vCPU {vcpu} was {depth} deep in holds, of {DEEPEST}")
            }
            Broken::Ring { name, found } => {
                write!(
                    f,
                    "start_info's {name} ring is {found}, no MFN of the guest's"
                )
            }
            Broken::Root { vcpu, mfn } => write!(
                f,
                "vCPU {vcpu} has root MFN {}, no frame of the guest's",
                mfn.0
            ),
            Broken::FrameList { mfn } => write!(
                f,
                "the P2M frame list is at MFN {}, no frame of the guest's",
                mfn.0
            ),
            Broken::Recursive { root, found } => write!(
                f,
                "the recursive slot of the root at PFN {} is {found:#x}",
                root.0
            ),
        }
    }
}
