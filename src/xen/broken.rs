//! A broken invariant: which, where, and how it is said.

use super::number::{Pfn, RawMfn};
use super::recount::Counts;
use core::fmt;

/// The deepest that Solaris's `t_xpvcntr`, a `uint8_t`, can count.
pub(super) const DEEPEST: u64 = 255;

/// A broken invariant, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// I1: arguments from another incarnation.
    StaleUse {
        /// Whose.
        vcpu: usize,
        /// How many.
        times: u64,
    },
    /// I1: arguments that named another frame than the one meant.
    WrongFrame {
        /// Whose.
        vcpu: usize,
        /// How many.
        times: u64,
    },
    /// I2: a hold was live at the suspend hypercall.
    HeldAtSuspend {
        /// Whose.
        vcpu: usize,
        /// At how many suspends.
        times: u64,
    },
    /// I2: updates were queued at the suspend hypercall.
    QueuedAtSuspend {
        /// Whose.
        vcpu: usize,
        /// How many, over all suspends.
        updates: u64,
    },
    /// I2: entries of pinned tables named another table of their level at the suspend hypercall.
    LinkedAtSuspend {
        /// How many, over all suspends.
        entries: u64,
        /// The table of the last of them.
        table: Pfn,
        /// Its index there.
        index: usize,
    },
    /// I3: the P2M has a frame that the M2P says to be another PFN's, or that is none of the guest's.
    NotInverse {
        /// The PFN.
        pfn: Pfn,
        /// Its frame, by the P2M.
        mfn: RawMfn,
    },
    /// I3: a frame's counts are not the references to it.
    Miscounted {
        /// The frame.
        mfn: RawMfn,
        /// What its state says.
        recorded: Counts,
        /// What there is.
        found: Counts,
    },
    /// I3: an entry of a validated table names a frame of a wrong type.
    Mistyped {
        /// The table.
        table: RawMfn,
        /// The entry.
        index: usize,
    },
    /// I3: counts would have gone below 0 or past their end, or writes were lost.
    LostCount {
        /// How often.
        times: u64,
    },
    /// I4: a vCPU is in a hold, though nobody runs.
    Deep {
        /// Which.
        vcpu: usize,
        /// Holds within holds.
        depth: u64,
    },
    /// I4: a vCPU was deeper in holds than a `uint8_t` counts.
    TooDeep {
        /// Which.
        vcpu: usize,
        /// Holds within holds.
        depth: u64,
    },
    /// I7: a ring of start_info's is no MFN of the guest's.
    Ring {
        /// The store's, or the console's.
        name: &'static str,
        /// What it is.
        found: u64,
    },
    /// I7: a loaded root is none of the guest's frames.
    Root {
        /// Whose.
        vcpu: usize,
        /// The root.
        mfn: RawMfn,
    },
    /// I7: the P2M's frame list, or a frame that it names, is none of the guest's; or it is not the kernel's.
    FrameList {
        /// Where shared_info, or the list, says that it is.
        mfn: RawMfn,
    },
    /// I7: a live pmap's recursive slot does not name its root.
    Recursive {
        /// The root.
        root: Pfn,
        /// The entry.
        found: u64,
    },
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
                "the P2M frame list has MFN {}, which it may not name",
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
