//! The image of a saved guest as it goes over the wire: a libxc migration stream, version 2 and later.
//!
//! An image header (big-endian), a domain header, and records: type, length, body, padded to eight
//! octets. Page tables are *canonical*: their present entries hold PFNs. All else is as the guest left
//! it, its P2M list with the old MFNs among it. Image versions 2 and 3 are read (3 added the policies
//! and STATIC_DATA_END); "version 2" in the title is the generation, as in `verify-stream-v2`.
//!
//! | order | record | |
//! |---|---|---|
//! | 1 | X86_PV_INFO | 8 octets to a word, 4 levels of page tables |
//! | 2 | X86_CPUID_POLICY, X86_MSR_POLICY | version 3; may be absent |
//! | 3 | STATIC_DATA_END | version 3 |
//! | 4 | X86_PV_P2M_FRAMES | where the P2M list lies, and how many PFNs there are |
//! | 5 | PAGE_DATA, many | types and contents; a later batch replaces an earlier one |
//! | 6 | VERIFY, PAGE_DATA | may be absent: pages once more, to be compared |
//! | 7 | X86_TSC_INFO, SHARED_INFO | |
//! | 8 | X86_PV_VCPU_BASIC, _EXTENDED, _XSAVE, _MSRS | for each vCPU; the last two may be absent |
//! | 9 | END; or CHECKPOINT, and on with 5 | |
//!
//! [`Stream::read`] is strict: whatever Xen's own save would not write is [`Malformed`], and says
//! where. [`State::write`] is its inverse. [`walk`] follows the page tables in a stream;
//! [`Suspended::hypercall_by`](super::Suspended::hypercall_by) saves the simulated guest to one and
//! restores it from one, [`Suspended::migrate`](super::Suspended::migrate) does so while the guest runs,
//! [`Machine::restored`](super::Machine::restored) makes a machine of one.
//!
//! Left out: guests of 32 bits, big-endian streams, HVM.
//!
//! Source: Xen, `docs/specs/libxc-migration-stream.pandoc`, `tools/libs/guest/xg_sr_*`; and streams
//! that Xen 4.17 wrote.

mod batch;
mod bodies;
mod checks;
mod cursor;
mod live;
mod malformed;
mod order;
mod reader;
mod records;
mod restored;
mod saved;
mod state;
mod vcpu;
pub mod walk;
mod wrapper;
mod writer;

pub use live::{MAX_ROUNDS, Migrated, Precopy, Round, TARGET_DIRTY};
pub use malformed::Malformed;
pub use reader::{Page, Stream};
pub use records::{PAGE_SIZE, PageType};
pub use state::State;
pub use vcpu::VcpuRecords;
