//! References to frames: of any kind, and of a type.
//!
//! A reference keeps a frame its owner's; a type reference keeps it what it is used as. The first
//! reference of a table's type has its entries checked ([`validate`](super::validate)), the last one
//! lets them go. When the last reference of any kind goes, the frame goes back to the free list.
//!
//! Between the first type reference and `validated`, and between the last one and none, the word
//! says "this type, not validated": whoever wants the same type then waits for the one or the other.
//! Levels only go down within one validation, so nobody waits for itself.

use super::frame::{Frame, Owner, Type};
use super::host::Host;
use super::hypercall::Errno;
use super::number::RawMfn;
use crate::backend::Backend;

impl<B: Backend> Host<B> {
    /// One reference more on a frame of the guest's.
    #[inline]
    pub(super) fn get_page(&self, mfn: RawMfn, otherwise: Errno) -> Result<(), Errno> {
        if !self.is_frame(mfn) {
            return Err(otherwise);
        }
        let get = |frame: Frame| match frame.owner() {
            Owner::Guest => frame.got().ok_or(otherwise),
            Owner::NoRam | Owner::Free | Owner::Foreign => Err(otherwise),
        };
        self.update(mfn, get).map(drop)
    }

    /// One reference less; the last one frees the frame.
    #[inline]
    pub(super) fn put_page(&self, mfn: RawMfn) {
        match self.update(mfn, |f| f.put().ok_or(())) {
            Err(()) => self.miscounted(),
            Ok(before) if before.count() == 1 => self.free(mfn, before),
            Ok(_) => {}
        }
    }

    /// The owner's own reference is given up, once: a frame that is still mapped stays until it is
    /// not. The caller has a reference.
    pub(super) fn disown(&self, mfn: RawMfn) {
        let before = self.update(mfn, |f| Ok::<_, ()>(f.disowned()));
        if before.is_ok_and(Frame::allocated) {
            self.put_page(mfn);
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
                Some(level) if before.type_count() == 0 => {
                    let verdict = self.validate(mfn, kind, level);
                    self.wrote(mfn);
                    verdict
                }
                _ => Ok(()),
            };
        }
    }

    /// One type reference less, with nothing to let go.
    pub(super) fn drop_type(&self, mfn: RawMfn) {
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
                self.invalidate(mfn, frame.kind());
                self.drop_type(mfn);
                self.wrote(mfn);
            }
            Ok(_) => {}
        }
    }

    /// One reference and one type reference on a frame of the guest's.
    pub(super) fn get_table(&self, mfn: RawMfn, level: u32) -> Result<(), Errno> {
        self.get_page_and_type(mfn, Type::table(level), Errno::Inval)
    }

    /// The same on a root.
    pub(super) fn get_root(&self, mfn: RawMfn) -> Result<(), Errno> {
        self.get_table(mfn, self.paging.levels())
    }

    /// Gives back what [`get_table`](Self::get_table) took.
    pub(super) fn put_table(&self, mfn: RawMfn) {
        self.put_type(mfn);
        self.put_page(mfn);
    }

    /// One reference and one type reference on a frame of the guest's; `otherwise`, if it is not.
    pub(super) fn get_page_and_type(
        &self,
        mfn: RawMfn,
        kind: Type,
        otherwise: Errno,
    ) -> Result<(), Errno> {
        self.get_page(mfn, otherwise)?;
        self.get_type(mfn, kind).inspect_err(|_| self.put_page(mfn))
    }

    /// Runs `store` on a frame that is, or becomes for so long, a writable one of the guest's.
    ///
    /// # Errors
    /// `Inval`: not the guest's, or a page table.
    pub(super) fn as_writable(&self, mfn: RawMfn, store: impl FnOnce()) -> Result<(), Errno> {
        self.get_page_and_type(mfn, Type::Writable, Errno::Inval)
            .map_err(|_| Errno::Inval)?;
        store();
        self.wrote(mfn);
        self.put_type(mfn);
        self.put_page(mfn);
        Ok(())
    }

    /// Pins a table: it stays one until it is unpinned. A level that the guest does not have is ignored.
    pub(super) fn pin(&self, mfn: RawMfn, level: u32) -> Result<(), Errno> {
        if level > self.paging.levels() {
            return Ok(());
        }
        self.get_table(mfn, level)?;
        let pinned = self.update(mfn, |f| {
            if f.pinned() {
                return Err(Errno::Inval);
            }
            Ok(f.with_pin(true))
        });
        pinned.inspect_err(|_| self.put_table(mfn))?;
        self.wrote(mfn);
        Ok(())
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
        self.wrote(mfn);
        self.put_table(mfn);
        Ok(())
    }
}
