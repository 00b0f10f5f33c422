//! Page-table entries: at rest, read back, and about to be written.
//!
//! The layout is x86-64's under Xen: bits 0..11 flags, 12..51 the frame, 52..62 available, 63 no
//! execute. A [`Pte`] is just the word. One read from a live table is a [`ReadPte`]`<'h>`, whose MFN
//! may be used in the hold it was read in; one about to be written is a [`NewPte`]`<'h>`.

use super::number::{Mfn, PAGE_SHIFT, Pfn, RawMfn, Stamp};
use core::marker::PhantomData;

/// An entry at rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Pte(
    /// The word as it stands in the table.
    pub u64,
);

impl Pte {
    /// Translates.
    pub const P: u64 = 1;
    /// Writable.
    pub const RW: u64 = 1 << 1;
    /// For user mode.
    pub const US: u64 = 1 << 2;
    /// Write-through.
    pub const PWT: u64 = 1 << 3;
    /// Uncached.
    pub const PCD: u64 = 1 << 4;
    /// Accessed.
    pub const A: u64 = 1 << 5;
    /// Dirty.
    pub const D: u64 = 1 << 6;
    /// PAT in an L1 entry, a superpage above: neither is for a PV guest.
    pub const PSE: u64 = 1 << 7;
    /// Global; Xen sets it in a user's L1 entries.
    pub const G: u64 = 1 << 8;
    /// Xen's note that an entry was for the guest's kernel.
    pub const GUEST_KERNEL: u64 = 1 << 52;
    /// No execute.
    pub const NX: u64 = 1 << 63;
    /// For the guest's own use: bits 9..11, and 52..62, of which Xen uses one.
    pub const AVAILABLE: u64 = 0xe00 | 0x7ff << 52;
    /// The frame.
    pub const FRAME: u64 = 0x000f_ffff_ffff_f000;

    /// Whether it translates.
    #[inline]
    pub const fn present(self) -> bool {
        self.0 & Self::P != 0
    }

    /// Whether it is writable.
    pub const fn writable(self) -> bool {
        self.0 & Self::RW != 0
    }

    /// The frame in it.
    #[inline]
    pub const fn mfn(self) -> RawMfn {
        RawMfn((self.0 & Self::FRAME) >> PAGE_SHIFT)
    }

    /// All but the frame.
    pub const fn flags(self) -> u64 {
        self.0 & !Self::FRAME
    }

    /// The same flags, another frame.
    pub const fn with_frame(self, frame: u64) -> Self {
        Self(self.flags() | (frame << PAGE_SHIFT) & Self::FRAME)
    }
}

/// An entry read from a live table in a hold.
#[derive(Clone, Copy, Debug)]
pub struct ReadPte<'h> {
    pub(super) pte: Pte,
    pub(super) stamp: Stamp,
    pub(super) hold: PhantomData<&'h ()>,
}

impl<'h> ReadPte<'h> {
    /// The word.
    #[inline]
    pub fn pte(self) -> Pte {
        self.pte
    }

    /// The frame it maps, if present.
    #[inline]
    pub fn mfn(self) -> Option<Mfn<'h>> {
        self.pte.present().then_some(Mfn {
            raw: self.pte.mfn(),
            stamp: self.stamp,
            meant: None,
            hold: PhantomData,
        })
    }

    /// The same frame with other flags, to be written back.
    pub fn with_flags(self, set: u64, clear: u64) -> NewPte<'h> {
        NewPte {
            pte: Pte(self.pte.0 & !clear | set),
            stamp: self.stamp,
            meant: None,
            hold: PhantomData,
        }
    }
}

/// An entry about to be written: `val` of an `mmu_update`.
#[derive(Clone, Copy, Debug)]
pub struct NewPte<'h> {
    pub(super) pte: Pte,
    pub(super) stamp: Stamp,
    /// Whose frame the caller means, if it said so.
    pub(super) meant: Option<Pfn>,
    pub(super) hold: PhantomData<&'h ()>,
}

impl<'h> NewPte<'h> {
    /// An entry that maps `mfn`.
    #[inline]
    pub fn map(mfn: Mfn<'h>, flags: u64) -> Self {
        Self {
            pte: Pte(mfn.raw.0 << PAGE_SHIFT | flags),
            stamp: mfn.stamp,
            meant: mfn.meant,
            hold: PhantomData,
        }
    }

    /// The entry that maps nothing.
    pub const ZERO: NewPte<'static> = NewPte {
        pte: Pte(0),
        stamp: Stamp::NONE,
        meant: None,
        hold: PhantomData,
    };
}
