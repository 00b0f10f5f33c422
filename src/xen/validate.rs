//! Type checking of page tables: what lets a guest hold the truth in its own hands.
//!
//! A frame becomes a page table when something needs it as one, and only then are its entries
//! checked: each takes a reference on its target, of the type that its level demands. It stops being
//! one when the last such reference goes, and its entries give theirs back. So an entry that is in a
//! validated table is right, and a frame that is mapped writable is no table.
//!
//! Source: `xen/arch/x86/mm.c`; verdicts as observed on Xen 4.17.

use super::domid::Owns;
use super::frame::{Owner, Type};
use super::host::{Host, XENS};
use super::hypercall::Errno;
use super::number::{ENTRIES, PAGE_SHIFT, RawMfn};
use super::paging::{PAE_XEN_FIRST, Paging};
use super::pte::Pte;
use crate::backend::{Atomic, Backend};
use core::ops::Range;
use core::sync::atomic::Ordering::Acquire;

/// The slots of a four-level guest's root that are Xen's.
pub const XEN_SLOTS: Range<usize> = 256..272;
/// The one of them by which Xen names the root itself, writable.
const XEN_LINEAR_SLOT: usize = 258;
/// Two of those that name frames of Xen's own: PCI's configuration space, and what it keeps for the domain.
const XEN_OWN_SLOTS: [usize; 2] = [257, 260];
const XEN_FLAGS: u64 = Pte::P | Pte::RW | Pte::A | Pte::D | Pte::NX;

/// All ones: what Xen takes for no frame at all.
const NO_FRAME: RawMfn = RawMfn(Pte::FRAME >> PAGE_SHIFT);

/// A change of these alone needs no other references, so nothing is checked again.
const HARMLESS: u64 = Pte::US | Pte::A | Pte::D | Pte::G | Pte::AVAILABLE | Pte::NX;

impl<B: Backend> Host<B> {
    /// Checks every entry of a table that we alone have typed.
    pub(super) fn validate(&self, mfn: RawMfn, kind: Type, level: u32) -> Result<(), Errno> {
        for index in self.slots(kind) {
            let pte = Pte(self.memory.read(mfn, index));
            if let Err(errno) = self.get_entry(Owns::Guest, (mfn, index), level, pte) {
                self.release_entries(mfn, kind, index);
                self.drop_type(mfn);
                return Err(errno);
            }
            let stored = self.paging.stored(level, pte);
            if stored != pte {
                self.memory.write(mfn, index, stored.0);
            }
        }
        self.fill_xen_slots(mfn, kind);
        let _ = self.update(mfn, |f| Ok::<_, ()>(f.with_validated()));
        Ok(())
    }

    /// Xen's own entries, over whatever the guest had there; they stay when the table is one no more, and
    /// go where its page is copied. Those that name frames of Xen's make such a page no table of a lower
    /// level; of a root's two are here, of a PAE guest's L2 the first, which maps the M2P.
    fn fill_xen_slots(&self, table: RawMfn, kind: Type) {
        for index in self.paging.xens(kind) {
            let of_xen = XENS.0 << PAGE_SHIFT | XEN_FLAGS;
            let xens = match (kind, index) {
                (Type::L4, XEN_LINEAR_SLOT) => table.0 << PAGE_SHIFT | XEN_FLAGS,
                (Type::L4, _) if XEN_OWN_SLOTS.contains(&index) => of_xen,
                (Type::XenL2, PAE_XEN_FIRST) => of_xen,
                _ => 0,
            };
            if self.memory.read(table, index) != xens {
                self.memory.write(table, index, xens);
            }
        }
    }

    /// Lets the entries of a table go.
    pub(super) fn invalidate(&self, mfn: RawMfn, kind: Type) {
        self.release_entries(mfn, kind, ENTRIES);
    }

    /// The entries of a table that are the guest's.
    pub(super) fn slots(&self, kind: Type) -> impl Iterator<Item = usize> + use<B> {
        let xens = self.paging.xens(kind);
        (0..ENTRIES).filter(move |i| !xens.contains(i))
    }

    fn release_entries(&self, mfn: RawMfn, kind: Type, end: usize) {
        let level = kind.level().unwrap_or(1);
        for index in self.slots(kind).take_while(|i| *i < end) {
            let pte = Pte(self.memory.read(mfn, index));
            self.put_entry(mfn, level, pte);
            let left = self.paging.left(level, pte);
            if left != pte {
                self.memory.write(mfn, index, left.0);
            }
        }
    }

    /// Takes the references that an entry of a table needs. The target must be `owns`'s.
    fn get_entry(
        &self,
        owns: Owns,
        (table, index): (RawMfn, usize),
        level: u32,
        pte: Pte,
    ) -> Result<(), Errno> {
        if !pte.present() {
            // A PAE root without its last L2 is none.
            return match self.paging.is_last(level, index) {
                true => Err(Errno::Inval),
                false => Ok(()),
            };
        }
        if pte.0 & self.paging.forbidden(level) != 0 {
            return Err(Errno::Inval);
        }
        let target = pte.mfn();
        if level > 1 {
            let below = self.paging.below(level, index);
            let verdict = self.get_page_and_type(target, below, Errno::Inval);
            return match verdict {
                Err(Errno::Inval) if self.paging.may_be_linear(level) => {
                    self.get_linear(table, level, pte)
                }
                Ok(()) if below == Type::XenL2 => self.unshared(target),
                verdict => verdict,
            };
        }
        if self.frame(target).owner() == Owner::NoRam {
            // No guest of ours has a device: nobody may map what is no RAM.
            return Err(if target == NO_FRAME {
                Errno::Inval
            } else {
                Errno::Perm
            });
        }
        if owns != Owns::Guest {
            return Err(Errno::Busy);
        }
        if pte.writable() {
            return self.get_page_and_type(target, Type::Writable, Errno::Busy);
        }
        self.get_page(target, Errno::Busy)
    }

    /// That the reference just taken to a PAE root's last L2 is the only one ("PAE L3 3rd slot is shared").
    fn unshared(&self, l2: RawMfn) -> Result<(), Errno> {
        if self.frame(l2).type_count() == 1 {
            return Ok(());
        }
        self.put_table(l2);
        Err(Errno::Inval)
    }

    /// Gives back the references of an entry.
    fn put_entry(&self, table: RawMfn, level: u32, pte: Pte) {
        let target = pte.mfn();
        if !pte.present() || !self.is_frame(target) {
            return;
        }
        if level == 1 {
            if pte.writable() {
                self.put_type(target);
            }
            return self.put_page(target);
        }
        if self.frame(target).kind().level() == Some(level) {
            return self.put_linear(table, target);
        }
        self.put_table(target);
    }

    /// Replaces one entry of a validated table by one that names a frame of `owns`'s.
    pub(super) fn modify(
        &self,
        owns: Owns,
        (table, index): (RawMfn, usize),
        level: u32,
        new: Pte,
        preserve: u64,
    ) -> Result<(), Errno> {
        if level > 1 {
            let kind = self.frame(table).kind();
            if self.paging.xens(kind).contains(&index) || self.paging.is_last(level, index) {
                return Err(Paging::refusal(kind));
            }
            if owns != Owns::Guest {
                return Err(Errno::Inval);
            }
        }
        if new.present() && new.0 & self.paging.forbidden(level) != 0 {
            return Err(Errno::Inval);
        }
        loop {
            let old = Pte(self.memory.read(table, index));
            let same = new.present() && (old.0 ^ new.0) & !HARMLESS == 0;
            let new = self.paging.stored(level, Pte(new.0 | old.0 & preserve));
            if !same {
                self.get_entry(owns, (table, index), level, new)?;
            }
            if self.memory.exchange(table, index, old.0, new.0).is_ok() {
                self.wrote(table);
                if !same {
                    self.put_entry(table, level, old);
                }
                return Ok(());
            }
            if !same {
                self.put_entry(table, level, new);
            }
        }
    }

    /// How often counts went wrong or writes were lost so far.
    pub(super) fn miscount(&self) -> u64 {
        // ORDERING: none needed; Acquire only so that a count read after a run is the last one.
        self.miscounts.load(Acquire) + self.memory.lost.load(Acquire)
    }
}
