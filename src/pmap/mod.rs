//! A pmap as NetBSD's on Xen, on amd64 or i386 PAE: what a kernel does with MFNs all day.
//!
//! A **pmap** is one address space: a pinned root table with the tables under it, a lock of its
//! own, and a place on the list of all pmaps. Every entry is written by `mmu_update`, whose `ptr` and
//! `val` are both MFNs, so every operation here is a *reader* of the scheme under test: it is generic
//! over [`Mmu`](crate::xen::Mmu), and runs unchanged for a vCPU and for the suspender.
//!
//! **Lock order**: the hold first, then the pmap's lock, then the lock of a page's list of mappings, then
//! that of the free pages or of the free list nodes; the pmaps' list's lock is a leaf beside the pmap's.
//! Who comes from a page's list, and wants its pmaps, lets the page go first and asks again
//! ([`Kernel::page_remove`]). A hold taken inside a lock would wait for a suspender that waits, through
//! another vCPU's hold, for that very lock.
//!
//! Which slots are what is the guest's [`Layout`]; these are amd64's, whose root is an L4:
//!
//! | slot of a root | what |
//! |---|---|
//! | 0..254 | the process |
//! | [`RECURSIVE_SLOT`] 255 | the root itself, read-only: page tables appear at fixed addresses |
//! | 256..271 | Xen's |
//! | [`KERNEL_SLOT`] 320 | the kernel, one table shared by all pmaps |
//! | [`ALTERNATE_SLOT`] 510 | another pmap's root, read-only, or nothing ([`Alternate`]) |
//!
//! With PAE a root has four entries, and the slots are those of the four L2 tables under it ([`layout::PAE`]).
//!
//! Every operation returns what Xen refused, if it did. A sound scheme never sees that; a control
//! does, and goes on.
//!
//! Left out: wired mappings, superpages, flushing the TLB of process pages (the simulated one is looked
//! through by windows on page tables only).
//! Source: NetBSD `x86/pmap.c`, `xen_pmap.c`.

#![forbid(unsafe_code)]

mod agree;
mod alternate;
mod balloon;
mod constructor;
mod directory;
mod each;
pub(crate) mod frame_list;
mod invariants;
mod kenter;
mod kept;
mod kernel;
pub mod layout;
mod lifecycle;
mod list;
mod mapping;
mod nodes;
mod own_half;
mod page;
mod pages;
mod pdp_cache;
mod pv;
mod recursive;
mod roster;
mod stack;
mod sweep;
mod table;
mod visit;
mod work;

pub use alternate::{Alternate, Window};
pub use kenter::KVA;
pub use kept::KeptMfns;
pub use kernel::{Kernel, PmapId};
pub use layout::Layout;
pub use mapping::Range;
pub use page::Synced;
pub use pages::PageCache;
pub use pdp_cache::Cached;
pub use pv::PvEntry;
pub use sweep::Way;
pub use work::{Act, Touch, User, Work};

use crate::xen::{Errno, Refused};
use core::fmt;

/// On amd64, the root's entry for itself.
pub const RECURSIVE_SLOT: usize = 255;
/// On amd64, the root's entry for another pmap's root, if it has one.
pub const ALTERNATE_SLOT: usize = 510;
/// On amd64, the root's entry for the kernel's half.
pub const KERNEL_SLOT: usize = 320;

/// Why a pmap operation did not happen, or only in part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PmapError {
    /// Xen refused a hypercall.
    Refused(Refused),
    /// No page is free for a page table.
    NoPages,
    /// No pmap is free.
    NoPmaps,
    /// No node is free for a page's list of mappings.
    NoPvs,
    /// The address is not one that the kernel may map as it likes.
    NotKernels,
    /// A page's list and the page tables say different things.
    Mismatch,
    /// The PFN has no frame, or the address no table where one must be.
    Nothing,
}

impl From<Refused> for PmapError {
    fn from(refused: Refused) -> Self {
        PmapError::Refused(refused)
    }
}

impl PmapError {
    /// Entries of the batch that were done before.
    fn done(self) -> usize {
        match self {
            PmapError::Refused(refused) => refused.done,
            _ => 0,
        }
    }

    /// Xen's verdict, if it was Xen.
    pub fn errno(self) -> Option<Errno> {
        match self {
            PmapError::Refused(refused) => Some(refused.errno),
            _ => None,
        }
    }
}

impl fmt::Display for PmapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PmapError::Refused(refused) => refused.fmt(f),
            PmapError::NoPages => f.write_str("no free page for a page table"),
            PmapError::NoPmaps => f.write_str("no free pmap"),
            PmapError::NoPvs => f.write_str("no free node for a page's list of mappings"),
            PmapError::NotKernels => f.write_str("no address that the kernel may map as it likes"),
            PmapError::Mismatch => f.write_str("a page's list and the page tables disagree"),
            PmapError::Nothing => f.write_str("no frame or page table where one must be"),
        }
    }
}

impl core::error::Error for PmapError {}
