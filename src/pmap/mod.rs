//! A pmap as NetBSD's on amd64 Xen: what a kernel does with MFNs all day.
//!
//! A **pmap** is one address space: a pinned root table (L4) with the tables under it, a lock of its
//! own, and a place on the list of all pmaps. Every entry is written by `mmu_update`, whose `ptr` and
//! `val` are both MFNs, so every operation here is a *reader* of the scheme under test: it is generic
//! over [`Mmu`](crate::xen::Mmu), and runs unchanged for a vCPU and for the suspender.
//!
//! **Lock order**: the hold first, then the pmap's lock, then the pages' lock; the list's lock is a
//! leaf beside the pmap's. A hold taken inside a lock would wait for a suspender that waits, through
//! another vCPU's hold, for that very lock.
//!
//! | slot of a root | what |
//! |---|---|
//! | 0..254 | the process |
//! | [`RECURSIVE_SLOT`] 255 | the root itself, read-only: page tables appear at fixed addresses |
//! | 256..271 | Xen's |
//! | [`KERNEL_SLOT`] 320 | the kernel, one table shared by all pmaps |
//! | [`ALTERNATE_SLOT`] 510 | another pmap's root, read-only, or nothing ([`Alternate`]) |
//!
//! Every operation returns what Xen refused, if it did. A sound scheme never sees that; a control
//! does, and goes on.
//!
//! Left out: pv lists and reference/modify bits, superpages.
//! Source: NetBSD `x86/pmap.c`, `xen_pmap.c`.

#![forbid(unsafe_code)]

mod alternate;
mod invariants;
mod kernel;
pub mod layout;
pub mod layout32;
mod lifecycle;
mod list;
mod mapping;
mod pages;
mod recursive;
mod roster;
mod sweep;
mod table;
mod visit;
mod work;

pub use alternate::{Alternate, Window};
pub use kernel::{Kernel, PmapId};
pub use mapping::Range;
pub use pages::PageCache;
pub use sweep::Way;
pub use work::{Act, Touch, User, Work};

use crate::xen::{Errno, Refused};
use core::fmt;

/// The root's entry for itself.
pub const RECURSIVE_SLOT: usize = 255;
/// The root's entry for another pmap's root, if it has one.
pub const ALTERNATE_SLOT: usize = 510;
/// The root's entry for the kernel's half.
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
    /// The PFN has no frame, or the address no table where one must be.
    Nothing,
}

impl From<Refused> for PmapError {
    fn from(refused: Refused) -> Self {
        PmapError::Refused(refused)
    }
}

impl PmapError {
    /// Xen's verdict, if it was Xen.
    pub fn errno(self) -> Option<Errno> {
        match self {
            PmapError::Refused(refused) => Some(refused.errno),
            PmapError::NoPages | PmapError::NoPmaps | PmapError::Nothing => None,
        }
    }
}

impl fmt::Display for PmapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PmapError::Refused(refused) => refused.fmt(f),
            PmapError::NoPages => f.write_str("no free page for a page table"),
            PmapError::NoPmaps => f.write_str("no free pmap"),
            PmapError::Nothing => f.write_str("no frame or page table where one must be"),
        }
    }
}

impl core::error::Error for PmapError {}
