//! Type checking of page tables: what lets a guest hold the truth in its own hands.
//!
//! A frame becomes a page table when something needs it as one, and only then are its entries
//! checked: each takes a reference on its target, of the type that its level demands. It stops being
//! one when the last such reference goes, and its entries give theirs back. So an entry that is in a
//! validated table is right, and a frame that is mapped writable is no table.
//!
//! Between the first type reference and `validated`, and between the last one and none, the word
//! says "this type, not validated": whoever wants the same type then waits for the one or the other.
//! Levels only go down within one validation, so nobody waits for itself.
//!
//! Source: `xen/arch/x86/mm.c`; verdicts as observed on Xen 4.17.

use super::frame::{Frame, Owner, Type};
use super::host::Host;
use super::hypercall::Errno;
use super::number::{ENTRIES, RawMfn};
use super::pte::Pte;
use crate::backend::{Atomic, Backend};
use core::ops::Range;
use core::sync::atomic::Ordering::{Acquire, Relaxed};

/// The slots of a root that are Xen's.
pub const XEN_SLOTS: Range<usize> = 256..272;

const L1_FORBIDDEN: u64 = Pte::PWT | Pte::PCD | Pte::PSE;
const UPPER_FORBIDDEN: u64 = Pte::PWT | Pte::PCD | Pte::PSE | Pte::G;

/// An entry as Xen stores it: it sets flags of its own.
pub fn as_stored(level: u32, pte: Pte) -> Pte {
    let set = match level {
        _ if !pte.present() => 0,
        1 if pte.0 & Pte::US == 0 => Pte::US | Pte::GUEST_KERNEL,
        1 => Pte::G,
        4 => Pte::US | Pte::A,
        _ => Pte::US,
    };
    Pte(pte.0 | set)
}

impl<B: Backend> Host<B> {
    /// One reference more on a frame of the guest's.
    fn get_page(&self, mfn: RawMfn, otherwise: Errno) -> Result<(), Errno> {
        if !self.is_frame(mfn) {
            return Err(otherwise);
        }
        let get = |frame: Frame| match frame.owner() {
            Owner::Guest => frame.got().ok_or(Errno::Inval),
            Owner::NoRam | Owner::Free | Owner::Foreign => Err(otherwise),
        };
        self.update(mfn, get).map(drop)
    }

    fn put_page(&self, mfn: RawMfn) {
        if self.update(mfn, |f| f.put().ok_or(())).is_err() {
            self.miscounted();
        }
    }

    /// One type reference more; the first one of a table's type checks its entries.
    pub(super) fn get_type(&self, mfn: RawMfn, kind: Type) -> Result<(), Errno> {
        let conflict = if kind == Type::Writable {
            Errno::Busy
        } else {
            Errno::Inval
        };
        let mut turn = 0;
        loop {
            let mut wait = false;
            let before = self.update(mfn, |frame| {
                wait = false;
                if frame.type_count() == 0 {
                    return frame.of_kind(kind).typed().ok_or(conflict);
                }
                if frame.kind() != kind {
                    return Err(conflict);
                }
                wait = !frame.validated();
                if wait {
                    return Ok(frame);
                }
                frame.typed().ok_or(conflict)
            })?;
            if wait {
                B::relax(turn);
                turn += 1;
                continue;
            }
            return match kind.level() {
                Some(level) if before.type_count() == 0 => self.validate(mfn, level),
                _ => Ok(()),
            };
        }
    }

    /// Checks every entry of a table that we alone have typed.
    fn validate(&self, mfn: RawMfn, level: u32) -> Result<(), Errno> {
        for index in Self::slots(level) {
            let pte = Pte(self.memory.read(mfn, index));
            if let Err(errno) = self.get_entry(mfn, level, pte) {
                self.release_entries(mfn, level, index);
                self.drop_type(mfn);
                return Err(errno);
            }
            let stored = as_stored(level, pte);
            if stored != pte {
                self.memory.write(mfn, index, stored.0);
            }
        }
        let _ = self.update(mfn, |f| Ok::<_, ()>(f.with_validated()));
        Ok(())
    }

    /// The entries of a table that are the guest's.
    fn slots(level: u32) -> impl Iterator<Item = usize> {
        (0..ENTRIES).filter(move |i| level < 4 || !XEN_SLOTS.contains(i))
    }

    fn release_entries(&self, mfn: RawMfn, level: u32, end: usize) {
        for index in Self::slots(level).take_while(|i| *i < end) {
            self.put_entry(mfn, level, Pte(self.memory.read(mfn, index)));
        }
    }

    fn drop_type(&self, mfn: RawMfn) {
        if self.update(mfn, |f| f.untyped().ok_or(())).is_err() {
            self.miscounted();
        }
    }

    /// One type reference less; the last one of a table lets its entries go.
    pub(super) fn put_type(&self, mfn: RawMfn) {
        let last = |f: Frame| f.type_count() == 1 && f.live_table().is_some();
        let before = self.update(mfn, |frame| {
            if last(frame) {
                // Still counted, no longer validated: nobody else may have it meanwhile.
                return Ok(frame.of_kind(frame.kind()));
            }
            frame.untyped().ok_or(())
        });
        match before {
            Err(()) => self.miscounted(),
            Ok(frame) if last(frame) => {
                self.release_entries(mfn, frame.kind() as u32, ENTRIES);
                self.drop_type(mfn);
            }
            Ok(_) => {}
        }
    }

    /// One reference and one type reference on a frame of the guest's.
    pub(super) fn get_table(&self, mfn: RawMfn, level: u32) -> Result<(), Errno> {
        self.get_page(mfn, Errno::Inval)?;
        self.get_type(mfn, Type::table(level))
            .inspect_err(|_| self.put_page(mfn))
    }

    /// Gives back what [`get_table`](Self::get_table) took.
    pub(super) fn put_table(&self, mfn: RawMfn) {
        self.put_type(mfn);
        self.put_page(mfn);
    }

    /// Takes the references that an entry of a table needs.
    pub(super) fn get_entry(&self, table: RawMfn, level: u32, pte: Pte) -> Result<(), Errno> {
        if !pte.present() {
            return Ok(());
        }
        let target = pte.mfn();
        if level > 1 {
            if pte.0 & UPPER_FORBIDDEN != 0 {
                return Err(Errno::Inval);
            }
            return match self.get_table(target, level - 1) {
                Err(Errno::Inval) => self.get_linear(table, level, pte),
                verdict => verdict,
            };
        }
        if pte.0 & L1_FORBIDDEN != 0 {
            return Err(Errno::Inval);
        }
        if self.frame(target).owner() == Owner::NoRam {
            return Err(Errno::Perm);
        }
        self.get_page(target, Errno::Busy)?;
        if !pte.writable() {
            return Ok(());
        }
        self.get_type(target, Type::Writable)
            .inspect_err(|_| self.put_page(target))
    }

    /// The linear rule: a read-only entry may name a table of the same level, itself included.
    fn get_linear(&self, table: RawMfn, level: u32, pte: Pte) -> Result<(), Errno> {
        let target = pte.mfn();
        if pte.writable() {
            return Err(Errno::Inval);
        }
        if target == table {
            return Ok(());
        }
        if self.frame(target).live_table() != Some(level) {
            return Err(Errno::Inval);
        }
        self.count_linear(table, 1)?;
        self.count_linear(target, -1)
            .and_then(|()| {
                self.get_table(target, level)
                    .inspect_err(|_| self.uncount_linear(target, -1))
            })
            .inspect_err(|_| self.uncount_linear(table, 1))
    }

    /// A table either has linear entries to others or is named by some, never both (XSA-240).
    fn count_linear(&self, mfn: RawMfn, by: i32) -> Result<(), Errno> {
        let word = &self.linear[mfn.0 as usize];
        let mut seen = word.load(Relaxed);
        loop {
            let now = seen as i32;
            if now.signum() == -by || now.unsigned_abs() > i16::MAX as u32 {
                return Err(Errno::Inval);
            }
            match word.compare_exchange(seen, (now + by) as u32, Relaxed, Relaxed) {
                Ok(_) => return Ok(()),
                Err(found) => seen = found,
            }
        }
    }

    fn uncount_linear(&self, mfn: RawMfn, by: i32) {
        self.linear[mfn.0 as usize].fetch_sub(by as u32, Relaxed);
    }

    /// Gives back the references of an entry.
    pub(super) fn put_entry(&self, table: RawMfn, level: u32, pte: Pte) {
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
        let linear = self.frame(target).kind() == Type::table(level);
        if linear && target == table {
            return;
        }
        if linear {
            self.uncount_linear(table, 1);
            self.uncount_linear(target, -1);
        }
        self.put_table(target);
    }

    /// Replaces one entry of a validated table.
    pub(super) fn modify(
        &self,
        table: RawMfn,
        level: u32,
        index: usize,
        new: Pte,
        preserve: u64,
    ) -> Result<(), Errno> {
        if level == 4 && XEN_SLOTS.contains(&index) {
            return Err(Errno::Inval);
        }
        loop {
            let old = Pte(self.memory.read(table, index));
            let new = as_stored(level, Pte(new.0 | old.0 & preserve));
            // The same frame with the same rights needs no other references.
            let same = old.present()
                && new.present()
                && (old.0 ^ new.0) & (Pte::FRAME | Pte::RW | L1_FORBIDDEN) == 0
                && level == 1;
            if !same {
                self.get_entry(table, level, new)?;
            }
            if self.memory.exchange(table, index, old.0, new.0).is_ok() {
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

    /// Pins a table: it stays one until it is unpinned.
    pub(super) fn pin(&self, mfn: RawMfn, level: u32) -> Result<(), Errno> {
        if !self.is_frame(mfn) || self.frame(mfn).pinned() {
            return Err(Errno::Inval);
        }
        self.get_table(mfn, level)?;
        let pinned = self.update(mfn, |f| {
            if f.pinned() {
                return Err(Errno::Inval);
            }
            Ok(f.with_pin(true))
        });
        pinned.map(drop).inspect_err(|_| self.put_table(mfn))
    }

    /// Takes the pin away; the type stays while something else needs it.
    pub(super) fn unpin(&self, mfn: RawMfn) -> Result<(), Errno> {
        if !self.is_frame(mfn) {
            return Err(Errno::Inval);
        }
        let unpin = |f: Frame| {
            if f.pinned() && f.owner() == Owner::Guest {
                return Ok(f.with_pin(false));
            }
            Err(Errno::Inval)
        };
        self.update(mfn, unpin)?;
        self.put_table(mfn);
        Ok(())
    }

    /// A store into a frame that is no table: silently done, whatever the value.
    pub(super) fn stray_store(&self, mfn: RawMfn, index: usize, value: u64) -> Result<(), Errno> {
        self.get_page(mfn, Errno::Inval)?;
        self.memory.write(mfn, index, value);
        self.put_page(mfn);
        Ok(())
    }

    /// How often counts went wrong or writes were lost so far.
    pub(super) fn miscount(&self) -> u64 {
        // ORDERING: none needed; Acquire only so that a count read after a run is the last one.
        self.miscounts.load(Acquire) + self.memory.lost.load(Acquire)
    }
}
