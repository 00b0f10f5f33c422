//! Which record may follow which.
//!
//! Stricter than the format, which leaves some of the order open: this is the order in which Xen's own
//! save has always sent them, and a stream in another one was not written by it.

use super::malformed::Fault;
use super::records::Kind;

/// What must have come, in this order, before what is later in it.
const REQUIRED: [Kind; 6] = [
    Kind::PvInfo,
    Kind::StaticDataEnd,
    Kind::P2mFrames,
    Kind::TscInfo,
    Kind::SharedInfo,
    Kind::VcpuBasic,
];

/// The records of one set that a checkpoint begins anew.
const OF_A_CHECKPOINT: [Kind; 4] = [
    Kind::Verify,
    Kind::TscInfo,
    Kind::SharedInfo,
    Kind::VcpuBasic,
];

/// What came so far.
#[derive(Debug)]
pub(super) struct Order {
    version: u32,
    seen: u32,
    last: Option<Kind>,
}

/// Its place in a stream; no two records may come in descending order.
const fn rank(kind: Kind) -> Option<u32> {
    Some(match kind {
        Kind::PvInfo => 0,
        Kind::CpuidPolicy => 1,
        Kind::MsrPolicy => 2,
        Kind::StaticDataEnd => 3,
        Kind::P2mFrames => 4,
        // After VERIFY, pages are sent once more.
        Kind::PageData | Kind::Verify => 5,
        Kind::TscInfo => 6,
        Kind::SharedInfo => 7,
        Kind::VcpuBasic | Kind::VcpuExtended | Kind::VcpuXsave | Kind::VcpuMsrs => 8,
        Kind::Checkpoint | Kind::End => 9,
        Kind::HvmContext | Kind::HvmParams | Kind::Toolstack | Kind::DirtyPfns => return None,
    })
}

impl Order {
    pub(super) const fn new(version: u32) -> Self {
        Self {
            version,
            seen: 0,
            last: None,
        }
    }

    pub(super) const fn seen(&self, kind: Kind) -> bool {
        self.seen & 1 << kind as u32 != 0
    }

    /// Takes note of the next record.
    pub(super) fn admit(&mut self, kind: Kind) -> Result<(), Fault> {
        let Some(place) = rank(kind) else {
            return Err(Fault::NotPv);
        };
        let is_static = |k| matches!(k, Kind::CpuidPolicy | Kind::MsrPolicy | Kind::StaticDataEnd);
        if is_static(kind) && self.version < 3 {
            return Err(Fault::NeedsVersion3);
        }
        // The vCPUs' records repeat, once each; their own order tells.
        if self.seen(kind) && kind != Kind::PageData && place != 8 {
            return Err(Fault::Repeated);
        }
        if let Some(last) = self.last.filter(|last| rank(*last) > Some(place)) {
            return Err(Fault::Before(last));
        }
        let required = REQUIRED.iter().filter(|k| rank(**k) < Some(place));
        let required = required.filter(|k| self.version >= 3 || !is_static(**k));
        for before in required {
            if !self.seen(*before) {
                return Err(Fault::Missing(*before));
            }
        }
        self.seen |= 1 << kind as u32;
        self.last = Some(kind);
        if kind == Kind::Checkpoint {
            // Another set of pages, or the end.
            for kind in OF_A_CHECKPOINT.iter().chain([&Kind::Checkpoint]) {
                self.seen &= !(1 << *kind as u32);
            }
            self.last = Some(Kind::P2mFrames);
        }
        Ok(())
    }
}
