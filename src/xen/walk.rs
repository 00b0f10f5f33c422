//! What the processor does with an address of the guest's: the walk, and loads and stores through it.
//!
//! Each step of a walk marks its entry accessed, and a store its last one dirty, as the hardware does
//! without asking anybody: entries of live tables change under Xen, in these two bits only.
//!
//! Xen's own look at an entry by address goes through linear page tables, and leaves its marks as well.
//!
//! A store through a read-only mapping is a page fault. If the guest asked for it by `vm_assist`, and
//! the page is an L1 table in use, Xen takes an aligned store for an update of that entry ([`Raw::store`]).
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
    /// The first `N` of the four entries that translate `va`, root first, if all before the last of them
    /// are present. Where there are three levels the root's stands twice.
    pub(super) fn walk<const N: usize>(&self, va: Va) -> Option<[Place; N]> {
        let mut table = RawMfn(self.state.cr3.load(Relaxed));
        let paging = self.host().paging;
        if !paging.reaches(va.0) {
            return None;
        }
        let above = 4 - paging.levels() as usize;
        let mut places = [(table, va.index(paging.levels())); N];
        for (place, level) in places[1..].iter_mut().zip([4, 3, 2]).skip(above) {
            let entry = Pte(self.read_raw(table, va.index(level)));
            if !entry.present() || !self.host().is_frame(entry.mfn()) {
                return None;
            }
            table = entry.mfn();
            *place = (table, va.index(level - 1));
        }
        Some(places)
    }

    /// Sets bits of entries, as the processor does on its way.
    pub(super) fn mark(&self, places: &[Place], bits: u64) {
        for (table, index) in places {
            if self.host().memory.set_bits(*table, *index, bits) {
                self.host().wrote(*table);
            }
        }
    }

    /// The entries that let an address be loaded from, or stored to, and the frame.
    fn allowed(&self, va: u64, store: bool) -> Result<([Place; 4], RawMfn), PageFault> {
        if !is_guests(va) {
            return Err(PageFault);
        }
        let places = self.walk::<4>(Va(va)).ok_or(PageFault)?;
        let entries = places.map(|(table, index)| Pte(self.read_raw(table, index)));
        let allowed = |pte: &Pte| pte.present() && (pte.writable() || !store);
        let frame = entries[3].mfn();
        if !entries.iter().all(allowed) || !self.host().is_frame(frame) {
            return Err(PageFault);
        }
        Ok((places, frame))
    }

    /// The word at an address, for a load or a store of it; marks the entries on the way.
    pub(super) fn reach(&self, va: u64, store: bool) -> Result<Place, PageFault> {
        let (places, frame) = self.allowed(va, store)?;
        self.mark(&places, Pte::A);
        if store {
            self.mark(&places[3..], Pte::D);
        }
        Ok((frame, (va & 0xfff) as usize / 8))
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

    /// Stores the low `bytes` of `val` at `va`. One that crosses into another page needs both.
    pub(super) fn store_bytes(&self, va: u64, bytes: u32, val: u64) -> Result<(), PageFault> {
        if !matches!(bytes, 1 | 2 | 4 | 8) {
            return Err(PageFault);
        }
        let shift = va % 8 * 8;
        let [mask, val] = [u64::MAX >> (64 - 8 * bytes), val].map(|word| u128::from(word) << shift);
        let half = |at: u32| ((mask >> at) as u64, (val >> at) as u64);
        let merge = |(mask, val): (u64, u64)| move |old: u64| old & !mask | val & mask;
        let halves = [(Some(va), half(0)), (va.checked_add(8), half(64))];
        let halves = halves.into_iter().filter(|(_, (mask, _))| *mask != 0);
        let store = || {
            for (va, _) in halves.clone() {
                self.allowed(va.ok_or(PageFault)?, true)?;
            }
            for (va, half) in halves.clone() {
                let (frame, word) = self.reach(va.ok_or(PageFault)?, true)?;
                self.host().memory.merge(frame, word, merge(half));
                self.host().wrote(frame);
            }
            Ok(())
        };
        let emulated = self.domain().assists(Assist::WritablePagetables);
        match store() {
            Err(fault) if emulated && va.is_multiple_of(bytes.into()) => {
                self.emulate(va, merge(half(0))).ok_or(fault)
            }
            done => done,
        }
    }

    /// A store that faulted, taken for an update of an L1 entry; `None` if it is not one, or refused.
    fn emulate(&self, va: u64, merge: impl Fn(u64) -> u64) -> Option<()> {
        let host = self.host();
        let places = self.walk::<4>(Va(va)).filter(|_| is_guests(va))?;
        let [upper @ .., (table, index)] = places;
        // Xen reads the mapping through its own linear page tables, and the processor walks those.
        self.mark(&upper, Pte::A);
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
