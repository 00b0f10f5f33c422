//! How a kernel lays out its addresses: the slots of its directories, and recursive slots as arithmetic.
//!
//! A **directory** is the page, or the pages in a row, whose entries are a pmap's slots. On amd64 that is the
//! root. With PAE it is the four L2 tables under the root, taken for one of 2,048 entries; its recursive slots
//! are then four in a row, one for each page. So three of the four name another table than the one they
//! are in, which is why there even the recursive slots keep a guest from being restored.
//!
//! A walk that passes a recursive slot once ends a level early, in an L1 table; as often as a directory is high,
//! in the directory.
//!
//! The kernel runs on [`AMD64`] and on [`PAE`]. [`TWO_LEVELS`] is arithmetic alone: Xen has had no such guests
//! since release 4.0, so the simulated one has no rules for them.
//!
//! Source: NetBSD `amd64/pmap.h`, `i386/pmap.h`, and Xen's `public/arch-x86/xen-x86_{32,64}.h`.

use super::mapping::Range as Pages;
use crate::xen::{Paging, Va};
use core::ops::Range;

/// How a kind of kernel lays out its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The level of the tables that make up a directory, 1 being the lowest.
    pub directory: u32,
    /// How many they are: so many slots a recursive or alternate window takes.
    pub pages: usize,
    /// The first of the slots by which a directory names itself. Those below are the process's.
    pub recursive: usize,
    /// The first of those for another pmap's.
    pub alternate: usize,
    /// The slots of the kernel's half, which all pmaps share.
    pub kernel: Range<usize>,
    /// How many of those have a table from the beginning.
    pub kernel_tables: usize,
    /// Xen's slots.
    pub xen: Range<usize>,
    /// Bytes that a slot maps, as a power of two.
    pub slot_shift: u32,
    /// Bytes of an entry, likewise.
    pub entry_shift: u32,
    /// Bits of an address.
    pub width: u32,
}

/// Four levels.
pub const AMD64: Layout = Layout {
    directory: 4,
    pages: 1,
    recursive: super::RECURSIVE_SLOT,
    alternate: super::ALTERNATE_SLOT,
    kernel: super::KERNEL_SLOT..super::KERNEL_SLOT + 1,
    kernel_tables: 1,
    xen: 256..272,
    slot_shift: 39,
    entry_shift: 3,
    width: 48,
};

/// PAE under Xen.
pub const PAE: Layout = Layout {
    directory: 2,
    pages: 4,
    recursive: 1532,
    alternate: 1960,
    kernel: 1536..1960,
    kernel_tables: 8,
    xen: 1964..2048,
    slot_shift: 21,
    entry_shift: 3,
    width: 32,
};

/// Two levels under Xen, which later versions no longer run.
pub const TWO_LEVELS: Layout = Layout {
    directory: 2,
    pages: 1,
    recursive: 767,
    alternate: 1007,
    kernel: 768..1007,
    kernel_tables: 8,
    xen: 1008..1024,
    slot_shift: 22,
    entry_shift: 2,
    width: 32,
};

impl Layout {
    /// That of a guest.
    pub const fn of(paging: Paging) -> Self {
        match paging {
            Paging::FourLevels => AMD64,
            Paging::Pae => PAE,
        }
    }

    /// The address where a slot's part begins.
    pub const fn base(&self, slot: usize) -> Va {
        Va((slot as u64) << self.slot_shift)
    }

    /// The address at which the L1 entry of `va` appears through the slots from `slot` on.
    #[inline]
    pub const fn entry_at(&self, slot: usize, va: Va) -> Va {
        let page = (va.0 & ((1 << self.width) - 1)) >> 12;
        Va(self.base(slot).0 + (page << self.entry_shift))
    }

    /// The address at which entry `index` of the directory appears that `slot` and those after it name: through
    /// that one's own recursive slots, once less than it is high.
    pub const fn directory_entry_at(&self, slot: usize, index: usize) -> Va {
        let mut va = self.base(index);
        let mut level = 1;
        while level < self.directory {
            va = self.entry_at(self.recursive, va);
            level += 1;
        }
        self.entry_at(slot, va)
    }

    /// The number of the page where a process's addresses end: beyond are its own page tables, and the kernel.
    #[inline]
    pub const fn process_end(&self) -> u64 {
        self.base(self.recursive).page()
    }

    /// Where the kernel has shared_info mapped: its half's first page.
    pub const fn shared_info(&self) -> Va {
        self.base(self.kernel.start)
    }

    /// The pages of the kernel's half that [`Kernel::kenter`](super::Kernel::kenter) may map: those under its
    /// first tables, less what one L1 table maps, and on amd64 half of that.
    pub const fn kva(&self) -> Pages {
        let pages = (self.kernel_tables as u64) << (self.slot_shift - 12);
        let usable = if self.directory > 2 { pages / 2 } else { pages };
        let first = 1 << (12 - self.entry_shift);
        Pages {
            page: self.shared_info().page() + first,
            pages: usable - first,
        }
    }

    /// How many pages a root takes, its directory included.
    pub const fn root_pages(&self) -> usize {
        match self.pages {
            1 => 1,
            pages => 1 + pages,
        }
    }

    /// How many pages the kernel begins with: its own root, the tables of its half, and the way down from
    /// there to one L1 table.
    pub const fn first_pages(&self) -> u64 {
        (self.root_pages() + self.kernel_tables + self.directory as usize - 2) as u64
    }

    /// The middle of the kernel's half, where nothing is mapped.
    pub(super) const fn middle(&self) -> Va {
        let slots = (self.kernel.end - self.kernel.start) as u64;
        Va(self.base(self.kernel.start).0 + (slots << self.slot_shift) / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `i386/pmap.h` has addresses of 32 bits.
    fn base(layout: &Layout, slot: usize) -> u64 {
        layout.base(slot).canonical()
    }

    #[test]
    fn the_addresses_are_netbsds() {
        // L1_BASE and AL1_BASE; L4_BASE, which is L1_BASE + L1's own offset three times over.
        assert_eq!(base(&AMD64, AMD64.recursive), 0x0000_7f80_0000_0000);
        assert_eq!(base(&AMD64, AMD64.alternate), 0xffff_ff00_0000_0000);
        let own = AMD64.directory_entry_at(AMD64.recursive, AMD64.recursive);
        assert_eq!(own.canonical(), 0x0000_7fbf_dfef_f7f8, "PDP_PDE");
        let last = AMD64.entry_at(AMD64.recursive, Va(0x0000_7fff_ffff_f000));
        assert_eq!(last.canonical(), 0x0000_7fbf_ffff_fff8);
    }

    #[test]
    fn so_are_those_of_32_bits() {
        assert_eq!(base(&TWO_LEVELS, TWO_LEVELS.recursive), 0xbfc0_0000);
        // APDP_PDE of a native kernel, whose alternate slot is the last.
        assert_eq!(base(&TWO_LEVELS, 1023), 0xffc0_0000);
        let last = TWO_LEVELS.directory_entry_at(TWO_LEVELS.recursive, 1023);
        assert_eq!(last.0, 0xbfef_fffc);
        assert_eq!(base(&PAE, PAE.recursive), 0xbf80_0000);
        // L2_BASE: the recursive slots' own tables, in a row.
        assert_eq!(PAE.directory_entry_at(PAE.recursive, 0).0, 0xbfdf_c000);
        assert_eq!(base(&PAE, PAE.xen.start), 0xf580_0000);
        for layout in [PAE, TWO_LEVELS] {
            assert_eq!(layout.shared_info().0, 0xc000_0000);
        }
    }

    #[test]
    fn a_window_is_as_large_as_all_entries_and_overlaps_nothing() {
        for layout in [AMD64, PAE, TWO_LEVELS] {
            let entries = 1u64 << (layout.width - 12 + layout.entry_shift);
            let window = (layout.pages as u64) << layout.slot_shift;
            assert_eq!(window, entries);
            let of = |slot| slot..slot + layout.pages;
            let parts = [
                of(layout.recursive),
                of(layout.alternate),
                layout.kernel.clone(),
            ];
            let parts = [&parts[0], &parts[1], &parts[2], &layout.xen];
            for (at, part) in parts.iter().enumerate() {
                let apart =
                    |other: &&&Range<usize>| other.end <= part.start || part.end <= other.start;
                assert_eq!(parts.iter().filter(apart).count(), 3, "{layout:?} {at}");
            }
        }
    }

    #[test]
    fn a_root_appears_where_its_entry_for_itself_would() {
        let through = |va| AMD64.entry_at(AMD64.recursive, va);
        let l4 = through(through(through(through(Va(0)))));
        assert_eq!(l4, AMD64.directory_entry_at(AMD64.recursive, 0));
    }

    #[test]
    fn the_kernels_own_mappings_lie_under_tables_that_all_share() {
        for layout in [AMD64, PAE] {
            let kva = layout.kva();
            let end = layout
                .base(layout.kernel.start + layout.kernel_tables)
                .page();
            assert!(kva.page + kva.pages <= end);
            assert!(layout.middle().page() >= kva.page + kva.pages);
        }
        assert_eq!(AMD64.kva(), super::super::KVA);
    }
}
