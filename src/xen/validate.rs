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
use super::pte::Pte;
use crate::backend::{Atomic, Backend};
use core::ops::Range;
use core::sync::atomic::Ordering::Acquire;

/// The slots of a root that are Xen's.
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

/// The flags that a present entry of a level must not have.
const fn forbidden(level: u32) -> u64 {
    let cache = Pte::PWT | Pte::PCD | Pte::PSE;
    if level == 1 { cache } else { cache | Pte::G }
}

/// An entry as Xen stores it: it sets flags of its own.
///
/// An L1 entry that is not for user mode is marked as the guest kernel's; one that is not so marked
/// is made global. In a 64-bit guest the kernel runs in user mode too, so every entry gets that flag.
pub fn as_stored(level: u32, pte: Pte) -> Pte {
    let kernel = pte.0 & (Pte::US | Pte::GUEST_KERNEL) != Pte::US;
    let set = match level {
        _ if !pte.present() => 0,
        1 if kernel => Pte::US | Pte::GUEST_KERNEL,
        1 => Pte::G,
        4 => Pte::US | Pte::A,
        _ => Pte::US,
    };
    Pte(pte.0 | set)
}

impl<B: Backend> Host<B> {
    /// Checks every entry of a table that we alone have typed.
    pub(super) fn validate(&self, mfn: RawMfn, level: u32) -> Result<(), Errno> {
        for index in Self::slots(level) {
            let pte = Pte(self.memory.read(mfn, index));
            if let Err(errno) = self.get_entry(Owns::Guest, mfn, level, pte) {
                self.release_entries(mfn, level, index);
                self.drop_type(mfn);
                return Err(errno);
            }
            let stored = as_stored(level, pte);
            if stored != pte {
                self.memory.write(mfn, index, stored.0);
            }
        }
        if level == 4 {
            self.fill_xen_slots(mfn);
        }
        let _ = self.update(mfn, |f| Ok::<_, ()>(f.with_validated()));
        Ok(())
    }

    /// Xen's own entries, over whatever the guest had there; they stay when the root is one no more, and
    /// go where its page is copied. Those that name frames of Xen's make such a page no table of a lower
    /// level; two of them are here.
    fn fill_xen_slots(&self, root: RawMfn) {
        for index in XEN_SLOTS {
            let xens = match index {
                XEN_LINEAR_SLOT => root.0 << PAGE_SHIFT | XEN_FLAGS,
                _ if XEN_OWN_SLOTS.contains(&index) => XENS.0 << PAGE_SHIFT | XEN_FLAGS,
                _ => 0,
            };
            if self.memory.read(root, index) != xens {
                self.memory.write(root, index, xens);
            }
        }
    }

    /// Lets the entries of a table go.
    pub(super) fn invalidate(&self, mfn: RawMfn, level: u32) {
        self.release_entries(mfn, level, ENTRIES);
    }

    /// The entries of a table that are the guest's.
    pub(super) fn slots(level: u32) -> impl Iterator<Item = usize> {
        (0..ENTRIES).filter(move |i| level < 4 || !XEN_SLOTS.contains(i))
    }

    fn release_entries(&self, mfn: RawMfn, level: u32, end: usize) {
        for index in Self::slots(level).take_while(|i| *i < end) {
            self.put_entry(mfn, level, Pte(self.memory.read(mfn, index)));
        }
    }

    /// Takes the references that an entry of a table needs. The target must be `owns`'s.
    fn get_entry(&self, owns: Owns, table: RawMfn, level: u32, pte: Pte) -> Result<(), Errno> {
        if !pte.present() {
            return Ok(());
        }
        if pte.0 & forbidden(level) != 0 {
            return Err(Errno::Inval);
        }
        let target = pte.mfn();
        if level > 1 {
            return match self.get_table(target, level - 1) {
                Err(Errno::Inval) => self.get_linear(table, level, pte),
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
        if self.frame(target).kind() == Type::table(level) {
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
        let xens = level == 4 && XEN_SLOTS.contains(&index);
        if xens || level > 1 && owns != Owns::Guest {
            return Err(Errno::Inval);
        }
        if new.present() && new.0 & forbidden(level) != 0 {
            return Err(Errno::Inval);
        }
        loop {
            let old = Pte(self.memory.read(table, index));
            let same = new.present() && (old.0 ^ new.0) & !HARMLESS == 0;
            let new = as_stored(level, Pte(new.0 | old.0 & preserve));
            if !same {
                self.get_entry(owns, table, level, new)?;
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
