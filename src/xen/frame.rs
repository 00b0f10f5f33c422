//! A machine frame's state: owner, type and two counts, in one atomic word.
//!
//! Xen keeps `count_info` and `type_info` apart; here they share a word, so that a change of both is
//! one compare-exchange. [`Frame`] is the value, with total functions; the atomic is in
//! [`Host`](super::host::Host).
//!
//! | bits | field | meaning |
//! |---|---|---|
//! | 0..8 | owner | [`Owner`] |
//! | 8..11 | type | [`Type`]; while the type count is 0 it may change |
//! | 11 | pinned | one type reference is a pin |
//! | 12 | validated | the entries of the table were checked and hold their references |
//! | 13..37 | type count | references that need the type |
//! | 37..61 | count | references of any kind, the owner's included |
//! | 61 | allocated | one reference is the owner's, until it gives the frame back |
//! | 62 | Xen heap | Xen's own memory, shared with the guest: never on the free list |
//!
//! A frame with a count of 0 is nobody's, whatever else its word says: no reference can be taken.
//!
//! The invariant, checked by [`Guest::broken_invariants`](super::Guest::broken_invariants): counts
//! equal the references found by walking every validated table.

/// Who a frame belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Owner {
    /// Nobody: Xen's free list.
    Free = 0,
    /// The simulated guest.
    Guest = 1,
    /// Another domain.
    Foreign = 2,
    /// No RAM there.
    NoRam = 3,
}

/// What a frame is used as; exclusively, while its type count is above 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Type {
    /// Nothing in particular.
    None = 0,
    /// A page table of the lowest level.
    L1 = 1,
    /// A page directory.
    L2 = 2,
    /// A page-directory-pointer table.
    L3 = 3,
    /// A root.
    L4 = 4,
    /// Mapped writable somewhere.
    Writable = 5,
    /// The page directory under a PAE root's last entry, with entries of Xen's in it.
    XenL2 = 6,
}

impl Type {
    /// The page table of a level, 1 to 4.
    pub const fn table(level: u32) -> Type {
        match level {
            1 => Type::L1,
            2 => Type::L2,
            3 => Type::L3,
            _ => Type::L4,
        }
    }

    /// The level, of a page table.
    pub const fn level(self) -> Option<u32> {
        match self {
            Type::L1 | Type::L2 | Type::L3 | Type::L4 => Some(self as u32),
            Type::XenL2 => Some(2),
            Type::None | Type::Writable => None,
        }
    }
}

const TYPE_SHIFT: u32 = 8;
const PINNED: u64 = 1 << 11;
const VALIDATED: u64 = 1 << 12;
const TYPE_COUNT_SHIFT: u32 = 13;
const COUNT_SHIFT: u32 = 37;
const COUNT_MASK: u64 = (1 << 24) - 1;
const ALLOCATED: u64 = 1 << 61;
const XEN_HEAP: u64 = 1 << 62;

/// The value of a frame's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame(pub(super) u64);

impl Frame {
    /// A frame nobody has.
    pub const FREE: Frame = Frame(Owner::Free as u64);

    /// A frame just given to `owner`: one reference, no type.
    pub const fn given(owner: Owner) -> Frame {
        Frame(owner as u64 | 1 << COUNT_SHIFT | ALLOCATED)
    }

    /// A frame of Xen's own that the guest may map: writable for good, so it can be no page table.
    pub const fn shared() -> Frame {
        let typed = (Type::Writable as u64) << TYPE_SHIFT | 1 << TYPE_COUNT_SHIFT | VALIDATED;
        Frame(Self::given(Owner::Guest).0 | typed | XEN_HEAP)
    }

    /// Who has it.
    pub const fn owner(self) -> Owner {
        match self.0 & 0xff {
            0 => Owner::Free,
            1 => Owner::Guest,
            2 => Owner::Foreign,
            _ => Owner::NoRam,
        }
    }

    /// What it is used as; meaningful while [`type_count`](Self::type_count) is above 0.
    pub const fn kind(self) -> Type {
        match (self.0 >> TYPE_SHIFT) & 7 {
            1 => Type::L1,
            2 => Type::L2,
            3 => Type::L3,
            4 => Type::L4,
            5 => Type::Writable,
            6 => Type::XenL2,
            _ => Type::None,
        }
    }

    /// Whether one type reference is a pin.
    pub const fn pinned(self) -> bool {
        self.0 & PINNED != 0
    }

    /// Whether its entries were checked.
    pub const fn validated(self) -> bool {
        self.0 & VALIDATED != 0
    }

    /// References that need the type.
    pub const fn type_count(self) -> u64 {
        (self.0 >> TYPE_COUNT_SHIFT) & COUNT_MASK
    }

    /// References of any kind.
    pub const fn count(self) -> u64 {
        (self.0 >> COUNT_SHIFT) & COUNT_MASK
    }

    /// Whether one reference is the owner's.
    pub const fn allocated(self) -> bool {
        self.0 & ALLOCATED != 0
    }

    /// Whether it is Xen's own memory.
    pub const fn xen_heap(self) -> bool {
        self.0 & XEN_HEAP != 0
    }

    /// A table in use: typed, counted and checked. What the tools canonicalise.
    pub const fn live_table(self) -> Option<u32> {
        if self.validated() && self.type_count() > 0 {
            self.kind().level()
        } else {
            None
        }
    }

    /// Whether the tools see a page of the guest's: one that somebody could take a reference to, and that
    /// is not Xen's own.
    pub(super) const fn can_be_saved(self) -> bool {
        matches!(self.owner(), Owner::Guest) && self.count() > 0 && !self.xen_heap()
    }

    /// One reference more; `None` when the count is full, or has fallen to 0.
    pub(super) const fn got(self) -> Option<Frame> {
        if self.count() == COUNT_MASK || self.count() == 0 {
            return None;
        }
        Some(Frame(self.0 + (1 << COUNT_SHIFT)))
    }

    /// One reference less; `None` when there is none.
    pub(super) const fn put(self) -> Option<Frame> {
        if self.count() == 0 {
            return None;
        }
        Some(Frame(self.0 - (1 << COUNT_SHIFT)))
    }

    /// One type reference more.
    pub(super) const fn typed(self) -> Option<Frame> {
        if self.type_count() == COUNT_MASK {
            return None;
        }
        Some(Frame(self.0 + (1 << TYPE_COUNT_SHIFT)))
    }

    /// One type reference less; the last one leaves a table unvalidated.
    pub(super) const fn untyped(self) -> Option<Frame> {
        match self.type_count() {
            0 => None,
            1 => Some(Frame((self.0 - (1 << TYPE_COUNT_SHIFT)) & !VALIDATED)),
            _ => Some(Frame(self.0 - (1 << TYPE_COUNT_SHIFT))),
        }
    }

    /// Another type, not validated yet unless it needs no validation.
    pub(super) const fn of_kind(self, kind: Type) -> Frame {
        let cleared = self.0 & !(7 << TYPE_SHIFT) & !VALIDATED;
        let validated = if kind.level().is_none() { VALIDATED } else { 0 };
        Frame(cleared | (kind as u64) << TYPE_SHIFT | validated)
    }

    /// The owner gives the frame back; the count is for the caller to lower.
    pub(super) const fn disowned(self) -> Frame {
        Frame(self.0 & !ALLOCATED)
    }

    pub(super) const fn with_validated(self) -> Frame {
        Frame(self.0 | VALIDATED)
    }

    pub(super) const fn with_pin(self, pinned: bool) -> Frame {
        Frame(if pinned {
            self.0 | PINNED
        } else {
            self.0 & !PINNED
        })
    }
}
