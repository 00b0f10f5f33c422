//! The simulated hypervisor, and the guest's view of it.
//!
//! What a Xen engineer would look for: frames with an owner, a type and two counts in one atomic
//! word ([`frame`]); the M2P and page contents ([`host`]); validation of page tables by level
//! ([`validate`]) and references to them (`reference`, `linear`); `mmu_update`,
//! `update_va_mapping` ([`hypercall`]), `mmuext_op` ([`mmuext`]) and `memory_op` ([`reservation`], [`exchange`]) with
//! Xen's verdicts, as a guest's registers hold them ([`raw`]); the processor's walk ([`walk`]) and TLB (`tlb`); save and
//! restore as the tools do them ([`save`], [`restore`]), and live migration from host to host by a log of what
//! was written (`dirty`, [`stream`]). What else a suspend carries or resets: `start_info`, `shared_info`, a
//! vCPU's [`registers`], event ports ([`events`]).
//!
//! What the lock comparison needs: typed frame numbers that cannot outlive a hold ([`number`],
//! [`pte`]), a [`machine`] that ties a scheme to a guest, and the [`oracle`] that catches stale ones.
//! Whether the machine as a whole is right, [`Guest::broken`] says.
//!
//! No lock is shared by all vCPUs: it would cost more than any scheme, and hide them all.

#![forbid(unsafe_code)]

mod access;
pub mod assist;
mod ballooning;
mod broken;
mod dirty;
pub mod domain;
pub mod domid;
mod era;
pub mod events;
pub mod exchange;
mod flush;
pub mod frame;
mod guest;
pub mod host;
pub mod hypercall;
mod image;
mod invariants;
mod linear;
pub mod machine;
pub mod memory;
mod mmu;
pub mod mmuext;
pub mod number;
pub mod oracle;
mod paging;
mod populate;
pub mod pte;
pub mod queue;
pub mod raw;
mod raw_memory;
pub mod raw_queue;
mod raw_vcpu;
mod recount;
mod reference;
pub mod registers;
pub mod reservation;
pub mod restore;
pub mod save;
pub(crate) mod shared_info;
mod snap;
mod start_info;
pub mod stream;
mod tlb;
pub mod validate;
pub mod walk;
mod watch;

pub use access::Access;
pub use broken::Broken;
pub use domid::{Domid, Foreign};
pub use era::Era;
pub use flush::Flush;
pub use guest::Guest;
pub use hypercall::{Command, Errno, MmuUpdate, Refused};
pub use machine::{Config, Machine, Suspended, Vcpu};
pub use mmu::{Held, Mmu};
pub use number::{Mfn, Pfn, PteAddr, RawMfn, Va};
pub use oracle::Verdicts;
pub use paging::Paging;
pub use populate::Mode;
pub use pte::{NewPte, Pte, ReadPte};
pub use queue::UpdateQueue;
pub use raw_queue::RawQueues;
pub use recount::Counts;
pub use restore::Outcome;
pub use snap::{Snap, SnapMfn};
pub use watch::{Section, Watched};
