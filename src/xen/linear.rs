//! Linear page tables: entries that name a table of the same level.
//!
//! Such an entry must be read-only, and its target a table already. To itself a table may have any
//! number. Otherwise a table either has linear entries to others, or is named by some, never both:
//! then no chain A, B, C can be built, whose undoing would recurse without bound (XSA-240). Before that
//! rule ([`Era::Before2017`]) there could be chains; the count is then but a sum.
//!
//! The count of a table is above 0 for its linear entries to others, below 0 for its uses elsewhere.

use super::era::Era;
use super::frame::Type;
use super::host::Host;
use super::hypercall::Errno;
use super::number::RawMfn;
use super::pte::Pte;
use crate::backend::{Atomic, Backend};
use core::sync::atomic::Ordering::Relaxed;

impl<B: Backend> Host<B> {
    /// Takes the references that a linear entry needs.
    pub(super) fn get_linear(&self, table: RawMfn, level: u32, pte: Pte) -> Result<(), Errno> {
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
        let kind = match self.frame(target).kind() {
            Type::XenL2 => Type::XenL2,
            _ => Type::table(level),
        };
        self.count_linear(table, 1)?;
        self.count_linear(target, -1)
            .and_then(|()| {
                self.get_page_and_type(target, kind, Errno::Inval)
                    .inspect_err(|_| self.uncount_linear(target, -1))
            })
            .inspect_err(|_| self.uncount_linear(table, 1))
    }

    /// Gives back the references of a linear entry.
    pub(super) fn put_linear(&self, table: RawMfn, target: RawMfn) {
        if target != table {
            self.uncount_linear(table, 1);
            self.uncount_linear(target, -1);
            self.put_table(target);
        }
    }

    fn count_linear(&self, mfn: RawMfn, by: i32) -> Result<(), Errno> {
        let chains = self.is_of(Era::Before2017);
        let word = &self.linear[mfn.0 as usize];
        let mut seen = word.load(Relaxed);
        loop {
            let now = seen as i32 + by;
            if now * by <= 0 && !chains || i16::try_from(now).is_err() {
                return Err(Errno::Inval);
            }
            match word.compare_exchange(seen, now as u32, Relaxed, Relaxed) {
                Ok(_) => return Ok(()),
                Err(found) => seen = found,
            }
        }
    }

    fn uncount_linear(&self, mfn: RawMfn, by: i32) {
        self.linear[mfn.0 as usize].fetch_sub(by as u32, Relaxed);
    }
}
