//! Where page tables appear: recursive slots as arithmetic.
//!
//! A walk that passes the slot once ends a level early, in an L1 table; four times, in the root.

use crate::xen::Va;

/// The address at which the L1 entry of `va` appears through a slot of the root.
pub const fn entry_at(slot: usize, va: Va) -> Va {
    Va((slot as u64) << 39 | (va.0 >> 9) & 0x7f_ffff_fff8)
}

/// The address at which entry `index` of the root appears that `slot` names: through the recursive
/// slot of that one, three times.
pub const fn root_entry_at(slot: usize, index: usize) -> Va {
    let own = super::RECURSIVE_SLOT as u64;
    Va((slot as u64) << 39 | own << 30 | own << 21 | own << 12 | (index as u64) << 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pmap::{ALTERNATE_SLOT, RECURSIVE_SLOT};

    #[test]
    fn the_addresses_are_netbsds() {
        // L1_BASE and AL1_BASE; L4_BASE, which is L1_BASE + L1's own offset three times over.
        let base = |slot| entry_at(slot, Va(0)).canonical();
        assert_eq!(base(RECURSIVE_SLOT), 0x0000_7f80_0000_0000);
        assert_eq!(base(ALTERNATE_SLOT), 0xffff_ff00_0000_0000);
        let own = root_entry_at(RECURSIVE_SLOT, RECURSIVE_SLOT).canonical();
        assert_eq!(own, 0x0000_7fbf_dfef_f7f8, "PDP_PDE");
        let last = entry_at(RECURSIVE_SLOT, Va(0x0000_7fff_ffff_f000)).canonical();
        assert_eq!(last, 0x0000_7fbf_ffff_fff8);
    }

    #[test]
    fn a_root_appears_where_its_entry_for_itself_would() {
        let twice = |va| entry_at(RECURSIVE_SLOT, va);
        let l4 = twice(twice(twice(twice(Va(0)))));
        assert_eq!(l4, root_entry_at(RECURSIVE_SLOT, 0));
    }
}
