//! The simulated hypervisor, and the guest's view of it.
//!
//! What a Xen engineer would look for: frames with an owner, a type and two counts in one atomic
//! word ([`frame`]); the M2P and page contents ([`host`]); validation of page tables by level
//! ([`validate`]); `mmu_update`, `update_va_mapping` and `mmuext_op` with Xen's verdicts
//! ([`hypercall`]); save and restore as the tools do them ([`save`], [`restore`]).
//!
//! What the lock comparison needs: typed frame numbers that cannot outlive a hold ([`number`],
//! [`pte`]), a [`machine`] that ties a scheme to a guest, and the [`oracle`] that catches stale ones.
//!
//! No lock is shared by all vCPUs: it would cost more than any scheme, and hide them all.

#![forbid(unsafe_code)]

mod access;
pub mod domain;
pub mod frame;
pub mod host;
pub mod hypercall;
mod invariants;
pub mod machine;
pub mod memory;
pub mod number;
pub mod oracle;
pub mod pte;
pub mod restore;
pub mod save;
pub mod stream;
pub mod validate;

pub use access::Access;
pub use hypercall::{Command, Errno, MmuUpdate, Refused};
pub use machine::{Config, Guest, Held, Machine, Mmu, Snap, SnapMfn, Suspended, Vcpu};
pub use number::{Mfn, Pfn, PteAddr, RawMfn, Va};
pub use oracle::Verdicts;
pub use pte::{NewPte, Pte, ReadPte};
pub use restore::{Mode, Outcome};
