//! The simulated hypervisor, and the guest's view of it.
//!
//! What a Xen engineer would look for: frames with an owner, a type and two counts in one atomic
//! word ([`frame`]); the M2P and page contents ([`host`]); validation of page tables by level
//! ([`validate`]) and references to them (`reference`, `linear`); `mmu_update`,
//! `update_va_mapping` ([`hypercall`]), `mmuext_op` ([`mmuext`]) and `memory_op` ([`reservation`]) with
//! Xen's verdicts, as a guest's registers hold them ([`raw`]); the processor's walk ([`walk`]) and TLB (`tlb`); save and
//! restore as the tools do them ([`save`], [`restore`]).
//!
//! What the lock comparison needs: typed frame numbers that cannot outlive a hold ([`number`],
//! [`pte`]), a [`machine`] that ties a scheme to a guest, and the [`oracle`] that catches stale ones.
//!
//! No lock is shared by all vCPUs: it would cost more than any scheme, and hide them all.

#![forbid(unsafe_code)]

mod access;
pub mod assist;
pub mod domain;
pub mod domid;
pub mod frame;
pub mod host;
pub mod hypercall;
mod invariants;
mod linear;
pub mod machine;
pub mod memory;
pub mod mmuext;
pub mod number;
pub mod oracle;
pub mod pte;
pub mod queue;
pub mod raw;
mod reference;
pub mod reservation;
pub mod restore;
pub mod save;
mod shared_info;
pub mod stream;
mod tlb;
pub mod validate;
pub mod walk;

pub use access::Access;
pub use domid::Domid;
pub use hypercall::{Command, Errno, MmuUpdate, Refused};
pub use machine::{Config, Guest, Held, Machine, Mmu, Snap, SnapMfn, Suspended, Vcpu};
pub use number::{Mfn, Pfn, PteAddr, RawMfn, Va};
pub use oracle::Verdicts;
pub use pte::{NewPte, Pte, ReadPte};
pub use queue::UpdateQueue;
pub use restore::{Mode, Outcome};
pub use tlb::Era;
