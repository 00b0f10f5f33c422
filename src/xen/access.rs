//! What may be done in a hold: translate, read page tables, and call Xen.
//!
//! An [`Access`] is borrowed from a [`Held`](super::Held), which only the machine makes, so whoever
//! has one is in a hold of this very machine. What it hands out is borrowed as long.

use super::domain::Cpu;
use super::flush::Flush;
use super::guest::Guest;
use super::hypercall::{MmuUpdate, Refused};
use super::number::{ENTRIES, Mfn, Pfn, Stamp, Va};
use super::oracle::Verdict;
use super::pte::{NewPte, Pte, ReadPte};
use super::queue::in_batches;
use crate::backend::{Atomic, Backend};
use crate::scheme::Translate;
use core::marker::PhantomData;
use core::sync::atomic::Ordering::{Acquire, Relaxed};

/// The use of MFNs, for as long as the hold it was borrowed from.
#[derive(Clone, Copy, Debug)]
pub struct Access<'g, B: Backend> {
    pub(super) cpu: &'g Cpu<'g, B>,
}

impl<'g, B: Backend> Access<'g, B> {
    /// Translates: one load. `None` for a PFN without a frame, or beyond the guest.
    #[inline]
    pub fn mfn(self, pfn: Pfn) -> Option<Mfn<'g>> {
        let word = self.cpu.domain().p2m(pfn)?;
        Some(Mfn {
            raw: word.raw(),
            stamp: word.stamp(),
            meant: Some(pfn),
            hold: PhantomData,
        })
    }

    /// Translates back, by the M2P: one load. `None` where it says nothing.
    #[inline]
    pub fn pfn(self, mfn: Mfn<'g>) -> Option<Pfn> {
        self.cpu.host().m2p(mfn.raw)
    }

    /// The page that an entry maps, by the M2P (`pmap_pte2pa`): one load. `None` if it maps none, or the
    /// M2P says nothing.
    ///
    /// An entry that was read in another incarnation is a stale MFN, and counted as such: what comes
    /// back may then be any page.
    #[inline]
    pub fn page_of(self, entry: ReadPte<'g>) -> Option<Pfn> {
        let mfn = entry.mfn()?;
        if mfn.stamp.stale(self.cpu.domain().stamp()) {
            self.cpu.tally.count(Verdict::StaleUse);
        }
        self.pfn(mfn)
    }

    /// Which vCPU this is: its place among those of the guest.
    pub fn vcpu(self) -> usize {
        self.cpu.id
    }

    /// Reads an entry of a page table, as through a mapping of it.
    ///
    /// The entry has no stamp of its own, so the incarnation is read before and after; where it
    /// moved, the read is counted as raced, and the stamp is the later one: never an accusation.
    pub fn read(self, table: Mfn<'g>, index: usize) -> ReadPte<'g> {
        let domain = self.cpu.domain();
        let before = domain.sequence();
        if !self.cpu.host().is_frame(table.raw) {
            self.cpu.tally.count(Verdict::Fault);
        }
        let bits = self.cpu.read_raw(table.raw, index);
        // ORDERING: Acquire pairs with the Release fence in `begin_restore`; see there.
        B::fence(Acquire);
        let after = domain.sequence();
        if before != after || before % 2 == 1 {
            self.cpu.tally.count(Verdict::RacedRead);
        }
        ReadPte {
            pte: Pte(bits),
            stamp: Stamp::of(after.div_ceil(2)),
            hold: PhantomData,
        }
    }

    /// Zeroes a page, through a mapping of it: no MFN is used, so none can be stale.
    pub fn zero(self, pfn: Pfn) {
        let _runs = self.cpu.runs.hold();
        match self.cpu.domain().p2m(pfn) {
            // A page table is mapped read-only: storing to it is a fault.
            Some(word) if self.cpu.host().frame(word.raw()).live_table().is_none() => {
                self.cpu.host().memory.clear(word.raw());
                self.cpu.host().wrote(word.raw());
            }
            _ => self.cpu.tally.count(Verdict::Fault),
        }
    }

    /// Writes the first word of a page, which stands for its contents, through a mapping of it.
    pub fn fill(self, pfn: Pfn, canary: u64) {
        let _runs = self.cpu.runs.hold();
        if let Some(word) = self.cpu.domain().p2m(pfn) {
            self.cpu.host().memory.fill(word.raw(), canary);
            self.cpu.host().wrote(word.raw());
        }
    }

    /// Writes a word of a page that is no table, through a mapping of it.
    pub(crate) fn write(self, pfn: Pfn, index: usize, word: u64) {
        let _runs = self.cpu.runs.hold();
        if let Some(frame) = self.cpu.domain().p2m(pfn) {
            self.cpu.host().memory.write(frame.raw(), index, word);
            self.cpu.host().wrote(frame.raw());
        }
    }

    /// Reads the first word of a page, which stands for its contents, through a mapping of it; `None`
    /// for a PFN without a frame.
    pub fn contents(self, pfn: Pfn) -> Option<u64> {
        let _runs = self.cpu.runs.hold();
        let word = self.cpu.domain().p2m(pfn)?;
        Some(self.cpu.host().memory.read(word.raw(), 0))
    }

    /// `mmu_update`.
    ///
    /// # Errors
    /// Xen's, at the first entry refused; those before it stay done.
    #[inline]
    pub fn mmu_update(self, updates: &[MmuUpdate<'g>]) -> Result<usize, Refused> {
        self.cpu.mmu_update(updates)
    }

    /// `mmu_update` of as many entries as there are, [`QUEUE`] a hypercall; returns how many hypercalls
    /// that were.
    ///
    /// # Errors
    /// Xen's, at the first entry refused; those before it, in this batch and others, stay done.
    ///
    /// [`QUEUE`]: super::queue::QUEUE
    pub fn update_all(self, updates: &[MmuUpdate<'g>]) -> Result<u64, Refused> {
        in_batches(updates, |batch| self.cpu.mmu_update(batch).map(drop))
    }

    /// `update_va_mapping` in the root that this vCPU has loaded, and the flush that it asks for.
    ///
    /// # Errors
    /// Xen's; then the entry is as it was, unless it is the flush's bitmap that is not mapped.
    pub fn update_va_mapping(self, va: Va, val: NewPte<'g>, flush: Flush) -> Result<(), Refused> {
        self.cpu.update_va_mapping(va, val, flush)
    }

    /// Pins a page table of a level.
    ///
    /// # Errors
    /// Xen's: mapped writable, in use as another type, bad contents.
    pub fn pin(self, table: Mfn<'g>, level: u32) -> Result<(), Refused> {
        self.cpu.pin(table, level)
    }

    /// Unpins a page table.
    ///
    /// # Errors
    /// Xen's: it was not pinned.
    pub fn unpin(self, table: Mfn<'g>) -> Result<(), Refused> {
        self.cpu.unpin(table)
    }

    /// Loads a root on this vCPU.
    ///
    /// # Errors
    /// Xen's: it cannot be a root.
    pub fn load(self, root: Mfn<'g>) -> Result<(), Refused> {
        self.cpu.new_baseptr(root)
    }

    /// The frame of the loaded root.
    pub fn loaded(self) -> Option<Pfn> {
        let root = super::RawMfn(self.cpu.state.cr3.load(Relaxed));
        self.cpu.host().m2p(root)
    }

    /// The guest, to look at what does not move.
    pub fn guest(self) -> &'g Guest<B> {
        self.cpu.guest
    }

    /// The frame of shared_info, from start_info: it has no PFN.
    pub fn shared_info(self) -> Mfn<'g> {
        Mfn {
            raw: self.cpu.guest.told_shared_info(),
            stamp: self.cpu.domain().stamp(),
            meant: None,
            hold: PhantomData,
        }
    }

    /// Calls `found` with each present entry of a table.
    pub fn each_present(self, table: Mfn<'g>, mut found: impl FnMut(usize, ReadPte<'g>)) {
        for index in 0..ENTRIES {
            let entry = self.read(table, index);
            if entry.pte().present() {
                found(index, entry);
            }
        }
    }
}
