//! Frame numbers, each with the type that says what may be done with it.
//!
//! | type | what it is | true for |
//! |---|---|---|
//! | [`Pfn`] | the guest's own number | ever |
//! | [`Mfn`]`<'h>` | the machine's, in use | the hold `'h` it was translated in |
//! | [`PteAddr`]`<'h>` | the machine address of a page-table entry | as long |
//! | [`RawMfn`] | the machine's, at rest: in a PTE, a ring, a register | nobody knows |
//!
//! Only an [`Mfn`] or what is made from one goes into a hypercall, so using one after its hold does
//! not compile. For those who reach the machine past the types (a control that excludes nobody), each
//! carries a [`Stamp`]: the incarnation it was true in, which the hypercall's entry compares.

use core::marker::PhantomData;

/// The guest's frame number; it never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pfn(
    /// The number.
    pub u64,
);

/// A machine frame number at rest. Nothing keeps it true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RawMfn(
    /// The number.
    pub u64,
);

/// A virtual address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Va(
    /// The address; bits 48..63 are ignored, as sign extension says nothing new.
    pub u64,
);

impl Va {
    /// Which entry of a table of `level` (4 is the root) translates this address.
    #[inline]
    pub const fn index(self, level: u32) -> usize {
        (self.0 >> (12 + 9 * (level - 1))) as usize & 511
    }

    /// The address as the processor wants it: bits 48..63 the same as bit 47.
    pub const fn canonical(self) -> u64 {
        ((self.0 << 16) as i64 >> 16) as u64
    }

    /// The number of the page that the address lies in, below 2^36.
    #[inline]
    pub const fn page(self) -> u64 {
        (self.0 << 16) >> (16 + PAGE_SHIFT)
    }

    /// The address of page number `page`.
    pub const fn of_page(page: u64) -> Self {
        Self(page << PAGE_SHIFT)
    }
}

/// A page is 4 KiB.
pub const PAGE_SHIFT: u32 = 12;
/// Entries of a page table.
pub const ENTRIES: usize = 512;

/// Bits of a P2M word, and of a PTE, below which the machine frame number ends.
const TAG_SHIFT: u32 = 52;
/// Nothing is there: ballooned out, or never populated.
pub const INVALID: u64 = u64::MAX;

/// The incarnation a value was true in, 12 bits; or none, for a value that has no MFN in it.
///
/// It wraps at 4,096 suspends: then a stale value may pass for a true one. A true one is never
/// accused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp(u16);

impl Stamp {
    /// Of a value without an MFN in it: never stale.
    pub const NONE: Stamp = Stamp(u16::MAX);

    /// The stamp of the `suspends`-th incarnation.
    #[inline]
    pub const fn of(suspends: u64) -> Self {
        Stamp((suspends & 0xfff) as u16)
    }

    /// Whether a value so stamped is stale in the incarnation that `now` is the stamp of.
    #[inline]
    pub fn stale(self, now: Stamp) -> bool {
        self != Stamp::NONE && self != now
    }
}

/// One word of the P2M: a machine frame number and the incarnation's stamp above it.
///
/// The stamp is part of the word, so that no reader sees the one without the other. `word << 12`
/// drops it: building a PTE from a word takes no mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct P2mWord(pub(super) u64);

impl P2mWord {
    pub(super) const fn new(mfn: RawMfn, stamp: Stamp) -> Self {
        Self(mfn.0 | (stamp.0 as u64) << TAG_SHIFT)
    }

    #[inline]
    pub(super) const fn valid(self) -> bool {
        self.0 != INVALID
    }

    #[inline]
    pub(super) const fn raw(self) -> RawMfn {
        RawMfn((self.0 << PAGE_SHIFT) >> PAGE_SHIFT)
    }

    #[inline]
    pub(super) const fn stamp(self) -> Stamp {
        Stamp((self.0 >> TAG_SHIFT) as u16)
    }
}

/// A machine frame number that is true while its hold `'h` lives.
///
/// Using it after the hold does not compile:
///
/// ```compile_fail
/// # use ptom::{backend::Native, scheme::percpu::PerCpu, xen::*};
/// # let machine = Machine::<Native, PerCpu<Native>>::new(Config::small()).unwrap();
/// # let vcpu = machine.vcpu().unwrap();
/// let mfn = { let hold = vcpu.hold(); hold.mfn(Pfn(1)) };
/// println!("{mfn:?}");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Mfn<'h> {
    pub(super) raw: RawMfn,
    pub(super) stamp: Stamp,
    /// Whose frame the caller means, if it said so.
    pub(super) meant: Option<Pfn>,
    pub(super) hold: PhantomData<&'h ()>,
}

impl<'h> Mfn<'h> {
    /// The number, at rest: from here on nothing keeps it true.
    #[inline]
    pub fn raw(self) -> RawMfn {
        self.raw
    }

    /// The machine address of entry `index` of this page table.
    ///
    /// # Panics
    /// If `index` is not below 512.
    #[inline]
    pub fn entry(self, index: usize) -> PteAddr<'h> {
        assert!(index < ENTRIES, "a page table has 512 entries");
        PteAddr { table: self, index }
    }
}

/// The machine address of a page-table entry: `ptr` of an `mmu_update`.
#[derive(Clone, Copy, Debug)]
pub struct PteAddr<'h> {
    pub(super) table: Mfn<'h>,
    pub(super) index: usize,
}

impl PteAddr<'_> {
    /// The address, at rest.
    pub fn raw(self) -> u64 {
        self.table.raw.0 << PAGE_SHIFT | (self.index as u64) << 3
    }
}
