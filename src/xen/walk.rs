//! What the processor does with an address of the guest's: the walk, and loads and stores through it.
//!
//! Each step of a walk marks its entry accessed, and a store its last one dirty, as the hardware does
//! without asking anybody: entries of live tables change under Xen, in these two bits only.
//!
//! A store through a read-only mapping is a page fault. If the guest asked for it by `vm_assist`, and
//! the page is an L1 table in use, Xen takes the store for an update of that entry ([`Raw::store`]).
//!
//! [`Raw::store`]: super::raw::Raw::store

use super::assist::Assist;
use super::domain::Cpu;
use super::domid::Owns;
use super::number::{RawMfn, Va};
use super::pte::Pte;
use crate::backend::{Atomic, Backend};
use core::sync::atomic::Ordering::Relaxed;

/// The address is not mapped, or not writable: the guest's own handler gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageFault;

/// Where an entry is.
pub(super) type Place = (RawMfn, usize);

/// Above the user's half, and above Xen's part of the kernel's.
const LOW_END: u64 = 1 << 47;
const XEN_END: u64 = 0xffff_8800_0000_0000;

/// Whether an address is one that a guest may have mapped: canonical, and none of Xen's.
pub(super) const fn is_guests(va: u64) -> bool {
    va < LOW_END || va >= XEN_END
}

impl<B: Backend> Cpu<'_, B> {
    /// The four entries that translate `va`, root first, if all but the last are present.
    pub(super) fn walk(&self, va: Va) -> Option<[Place; 4]> {
        let mut table = RawMfn(self.state.cr3.load(Relaxed));
        let mut places = [(table, va.index(4)); 4];
        for (place, level) in places[1..].iter_mut().zip([4, 3, 2]) {
            let entry = Pte(self.read_raw(table, va.index(level)));
            if !entry.present() || !self.host().is_frame(entry.mfn()) {
                return None;
            }
            table = entry.mfn();
            *place = (table, va.index(level - 1));
        }
        Some(places)
    }

    /// The word at an address, for a load or a store of it; marks the entries on the way.
    pub(super) fn reach(&self, va: u64, store: bool) -> Result<Place, PageFault> {
        if !is_guests(va) {
            return Err(PageFault);
        }
        let places = self.walk(Va(va)).ok_or(PageFault)?;
        let entries = places.map(|(table, index)| Pte(self.read_raw(table, index)));
        let page = entries[3];
        let allowed = |pte: &Pte| pte.present() && (pte.writable() || !store);
        if !entries.iter().all(allowed) || !self.host().is_frame(page.mfn()) {
            return Err(PageFault);
        }
        for (at, (table, index)) in places.into_iter().enumerate() {
            let dirty = if store && at == 3 { Pte::D } else { 0 };
            if self.host().memory.set_bits(table, index, Pte::A | dirty) {
                self.host().wrote(table);
            }
        }
        Ok((page.mfn(), (va & 0xfff) as usize / 8))
    }

    /// Loads the eight bytes that `va` lies in.
    pub(super) fn load_word(&self, va: u64) -> Result<u64, PageFault> {
        let (frame, word) = self.reach(va, false)?;
        Ok(self.host().memory.read(frame, word))
    }

    /// Loads eight octets that need not lie in one word, as Xen does where a guest put an argument.
    pub(super) fn load_eight(&self, va: u64) -> Result<u64, PageFault> {
        let low = self.load_word(va)?;
        let shift = va % 8 * 8;
        if shift == 0 {
            return Ok(low);
        }
        let high = self.load_word(va.checked_add(7).ok_or(PageFault)?)?;
        Ok(low >> shift | high << (64 - shift))
    }

    /// Stores the low `bytes` of `val` at `va`, which is a multiple of them.
    pub(super) fn store_bytes(&self, va: u64, bytes: u32, val: u64) -> Result<(), PageFault> {
        if !matches!(bytes, 1 | 2 | 4 | 8) || !va.is_multiple_of(bytes.into()) {
            return Err(PageFault);
        }
        let shift = (va % 8) * 8;
        let mask = (u64::MAX >> (64 - 8 * bytes)) << shift;
        let merge = |old: u64| old & !mask | val << shift & mask;
        match self.reach(va, true) {
            Ok((frame, word)) => {
                self.host().memory.merge(frame, word, merge);
                self.host().wrote(frame);
                Ok(())
            }
            Err(fault) if self.domain().assists(Assist::WritablePagetables) => {
                self.emulate(va, merge).ok_or(fault)
            }
            Err(fault) => Err(fault),
        }
    }

    /// A store that faulted, taken for an update of an L1 entry; `None` if it is not one, or refused.
    fn emulate(&self, va: u64, merge: impl Fn(u64) -> u64) -> Option<()> {
        let host = self.host();
        let (table, index) = self.walk(Va(va)).filter(|_| is_guests(va))?[3];
        let mapping = Pte(self.read_raw(table, index));
        let target = mapping.mfn();
        let read_only = mapping.present() && !mapping.writable() && host.is_frame(target);
        if !read_only || host.frame(target).live_table() != Some(1) {
            return None;
        }
        let place = (target, (va & 0xfff) as usize / 8);
        let new = Pte(merge(host.memory.read(place.0, place.1)));
        host.modify(Owns::Guest, place, 1, new, 0).ok()
    }
}
