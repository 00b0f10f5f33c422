//! The slots of NetBSD's 32-bit kernels, as arithmetic: no such guest runs here.
//!
//! A PAE kernel takes its four L2 tables for one of 2,048 entries; its recursive slots are then four in a
//! row, one for each of them. So three of the four name another table than the one they are in, which
//! is why there even the recursive slots keep a guest from being restored.
//!
//! Source: NetBSD `i386/pmap.h`, and Xen's `public/arch-x86/xen-x86_32.h`.

/// How a kind of 32-bit kernel lays out its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout32 {
    /// The first of the slots by which the directory names itself.
    pub recursive: u32,
    /// The first of those for another pmap's.
    pub alternate: u32,
    /// How many slots either takes: the pages of a directory.
    pub pages: u32,
    /// The first slot of the kernel's half.
    pub kernel: u32,
    /// The first slot that is Xen's.
    pub xen: u32,
    /// Bytes that a slot maps, as a power of two.
    pub slot_shift: u32,
    /// Bytes of an entry, likewise.
    pub entry_shift: u32,
}

/// PAE under Xen.
pub const PAE: Layout32 = Layout32 {
    recursive: 1532,
    alternate: 1960,
    pages: 4,
    kernel: 1536,
    xen: 1964,
    slot_shift: 21,
    entry_shift: 3,
};

/// Two levels under Xen, which later versions no longer run.
pub const TWO_LEVELS: Layout32 = Layout32 {
    recursive: 767,
    alternate: 1007,
    pages: 1,
    kernel: 768,
    xen: 1008,
    slot_shift: 22,
    entry_shift: 2,
};

impl Layout32 {
    /// The address where a slot's part begins.
    pub const fn base(&self, slot: u32) -> u32 {
        slot << self.slot_shift
    }

    /// The address at which the last-level entry of `va` appears through the slots from `slot` on.
    pub const fn entry_at(&self, slot: u32, va: u32) -> u32 {
        self.base(slot) + ((va >> 12) << self.entry_shift)
    }

    /// The address at which entry `index` of the loaded directory appears: that of the entry which maps
    /// the table of that slot, where it appears itself.
    pub const fn directory_entry_at(&self, index: u32) -> u32 {
        let table = self.entry_at(self.recursive, self.base(index));
        self.entry_at(self.recursive, table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_are_netbsds() {
        assert_eq!(TWO_LEVELS.base(TWO_LEVELS.recursive), 0xbfc0_0000);
        // APDP_PDE of a native kernel, whose alternate slot is the last.
        assert_eq!(TWO_LEVELS.base(1023), 0xffc0_0000);
        assert_eq!(TWO_LEVELS.directory_entry_at(1023), 0xbfef_fffc);
        assert_eq!(PAE.base(PAE.recursive), 0xbf80_0000);
        // L2_BASE: the recursive slots' own tables, in a row.
        assert_eq!(PAE.directory_entry_at(0), 0xbfdf_c000);
        assert_eq!(PAE.base(PAE.xen), 0xf580_0000);
        for layout in [PAE, TWO_LEVELS] {
            assert_eq!(layout.base(layout.kernel), 0xc000_0000);
        }
    }

    #[test]
    fn a_window_is_as_large_as_all_entries_and_overlaps_nothing() {
        for layout in [PAE, TWO_LEVELS] {
            let entries = 1u64 << (20 + layout.entry_shift);
            let window = u64::from(layout.pages) << layout.slot_shift;
            assert_eq!(window, entries);
            assert_eq!(layout.recursive + layout.pages, layout.kernel);
            assert_eq!(layout.alternate + layout.pages, layout.xen);
        }
    }
}
