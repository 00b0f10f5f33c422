//! What the processor makes of a guest's tables: how many levels there are, and which entries are Xen's.
//!
//! A 64-bit guest has four levels. A 32-bit one has three (PAE): a root of four entries, of which the last
//! must name an L2 that no other root names, for Xen keeps entries of its own in it. That L2 is of a type of
//! its own ([`Type::XenL2`]), which only a root's last entry asks for: nothing can pin it, nor name it first.
//! That last entry never changes while the root is one.
//!
//! Guests of two levels Xen gave up in release 4.0; today's has no code that could judge their tables.
//!
//! Left out: the words of a 32-bit guest's *registers* and of its stream, which are half as wide (a root's
//! number is folded into 32 bits there). A root is kept unfolded here, and a stream is not written.
//!
//! Source: `promote_l3_table`, `pae_xen_mappings_check`, `mod_l2_entry` and `mod_l3_entry` in
//! `xen/arch/x86/mm.c`; `public/arch-x86/xen-x86_32.h`.

use super::frame::Type;
use super::hypercall::Errno;
use super::number::ENTRIES;
use super::pte::Pte;
use super::validate::XEN_SLOTS;
use core::ops::Range;

/// What kind of guest it is, by its page tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paging {
    /// Four levels: a 64-bit guest.
    #[default]
    FourLevels,
    /// Three levels, the first of four entries: a 32-bit guest with PAE.
    Pae,
}

/// Entries of a PAE root.
const PAE_ROOT: usize = 4;
/// Where a 32-bit guest's addresses end, and in the last L2 its entries.
const PAE_END: u64 = 0xf580_0000;
pub(super) const PAE_XEN_FIRST: usize = (PAE_END >> 21) as usize % ENTRIES;

impl Paging {
    /// How many levels of tables there are: the level of a root.
    #[inline]
    pub const fn levels(self) -> u32 {
        match self {
            Paging::FourLevels => 4,
            Paging::Pae => 3,
        }
    }

    /// The entries that are Xen's in a table of a type.
    pub(super) const fn xens(self, kind: Type) -> Range<usize> {
        match (self, kind) {
            (Paging::FourLevels, Type::L4) => XEN_SLOTS,
            (Paging::Pae, Type::L3) => PAE_ROOT..ENTRIES,
            (Paging::Pae, Type::XenL2) => PAE_XEN_FIRST..ENTRIES,
            _ => 0..0,
        }
    }

    /// What an update of an entry of Xen's returns.
    pub(super) const fn refusal(kind: Type) -> Errno {
        match kind {
            Type::XenL2 => Errno::Perm,
            _ => Errno::Inval,
        }
    }

    /// Whether an entry is the one by which a PAE root names the L2 with Xen's entries.
    pub(super) const fn is_last(self, level: u32, index: usize) -> bool {
        matches!(self, Paging::Pae) && level == 3 && index == PAE_ROOT - 1
    }

    /// What an entry of a table above level 1 names.
    pub(super) const fn below(self, level: u32, index: usize) -> Type {
        if self.is_last(level, index) {
            return Type::XenL2;
        }
        Type::table(level - 1)
    }

    /// Whether a table of a level may name another of the same.
    pub(super) const fn may_be_linear(self, level: u32) -> bool {
        level > 1 && !matches!((self, level), (Paging::Pae, 3))
    }

    /// Whether an address can be one of the guest's, as far as its width goes.
    pub(super) const fn reaches(self, va: u64) -> bool {
        matches!(self, Paging::FourLevels) || va < PAE_END
    }

    /// The flags that a present entry of a level must not have.
    #[inline]
    pub(super) const fn forbidden(self, level: u32) -> u64 {
        let cache = Pte::PWT | Pte::PCD | Pte::PSE;
        match (self, level) {
            (_, 1) => cache,
            (Paging::Pae, 3) => cache | Pte::G | Pte::NX | 0x7ff << 52,
            _ => cache | Pte::G,
        }
    }

    /// An entry as Xen stores it: it sets flags of its own.
    ///
    /// An L1 entry that is not for user mode is marked as the guest kernel's; one that is not so marked
    /// is made global. In a 64-bit guest the kernel runs in user mode too, so every entry gets that flag.
    /// A 32-bit one's, in ring 1, is told apart by the processor: only its roots' entries get any.
    #[inline]
    pub fn stored(self, level: u32, pte: Pte) -> Pte {
        let kernel = pte.0 & (Pte::US | Pte::GUEST_KERNEL) != Pte::US;
        let set = match (self, level) {
            _ if !pte.present() => 0,
            (Paging::Pae, 3) => Pte::RW | Pte::US,
            (Paging::Pae, _) => 0,
            (_, 1) if kernel => Pte::US | Pte::GUEST_KERNEL,
            (_, 1) => Pte::G,
            (_, 4) => Pte::US | Pte::A,
            _ => Pte::US,
        };
        Pte(pte.0 | set)
    }

    /// An entry as Xen leaves it in a table that is one no more.
    pub(super) const fn left(self, level: u32, pte: Pte) -> Pte {
        match (self, level) {
            (Paging::Pae, 3) if pte.present() => Pte(pte.0 & !(Pte::RW | Pte::US | Pte::A)),
            _ => pte,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_32_bit_guests_addresses_end_where_xens_begin() {
        let reaches = |paging: Paging| [PAE_END - 1, PAE_END, 1 << 40].map(|va| paging.reaches(va));
        assert_eq!(reaches(Paging::Pae), [true, false, false]);
        assert_eq!(reaches(Paging::FourLevels), [true; 3]);
    }

    #[test]
    fn the_last_l2_has_as_many_slots_as_netbsd_says() {
        // 1964 of 2,048: PDIR_SLOT's end, `xen` in the layout of the same guest.
        assert_eq!(PAE_XEN_FIRST, 1964 - 3 * ENTRIES);
        assert_eq!(
            Paging::Pae.xens(Type::L2),
            0..0,
            "the three others are its own"
        );
    }
}
