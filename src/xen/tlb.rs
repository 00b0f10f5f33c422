//! A vCPU's TLB: what it remembers of page tables, true or not.
//!
//! The smallest that can go wrong as a real one does: it remembers, by page of virtual address, which
//! frame a walk ended in, and forgets only when it is told to. A change of a page table tells nobody.
//! It is off until [`Guest::with_tlb`], and then each access by [`Access::peek`] goes through it.
//!
//! Who writes what: the entries and `seen` are their vCPU's own; `shot` is raised by whoever flushes
//! other vCPUs. An owner that finds it raised forgets all: a processor may always forget more than it
//! was asked to.
//!
//! What Xen itself flushes depends on its [`Era`](super::Era). Left out: global entries and superpages, which no
//! window on page tables has.

use super::access::Access;
use super::domain::Cpu;
use super::era::Era;
use super::guest::Guest;
use super::number::{PAGE_SHIFT, RawMfn, Va};
use super::pte::{Pte, ReadPte};
use super::walk::PageFault;
use crate::backend::{Atomic, Backend};
use crate::scheme::Translate;
use alloc::boxed::Box;
use core::marker::PhantomData;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

/// Pages that a TLB remembers.
const PAGES: usize = 64;

/// The TLB of one vCPU.
#[derive(Debug)]
pub(super) struct Tlb<B: Backend> {
    /// Direct-mapped: 1 + the page's number, and its frame.
    entries: Box<[(B::U64, B::U64)]>,
    /// The value of `shot` that the entries are no older than.
    seen: B::U64,
    /// How often others flushed it.
    shot: B::U64,
}

impl<B: Backend> Tlb<B> {
    pub(super) fn new() -> Self {
        Self {
            entries: (0..PAGES)
                .map(|_| (B::U64::new(0), B::U64::new(0)))
                .collect(),
            seen: B::U64::new(0),
            shot: B::U64::new(0),
        }
    }

    fn entry(&self, page: u64) -> &(B::U64, B::U64) {
        // The index of the upper levels too, or the pages of a window would all fall together.
        let mixed = page ^ page >> 9 ^ page >> 18 ^ page >> 27;
        &self.entries[mixed as usize % PAGES]
    }

    /// Forgets what others flushed since.
    fn catch_up(&self) {
        // ORDERING: Acquire pairs with the AcqRel in `shoot`: whoever sees the flush walks the tables
        // as they were before it.
        let shot = self.shot.load(Acquire);
        if self.seen.load(Relaxed) != shot {
            self.forget();
            self.seen.store(shot, Relaxed);
        }
    }

    fn find(&self, page: u64) -> Option<RawMfn> {
        let (tag, frame) = self.entry(page);
        (tag.load(Relaxed) == page + 1).then(|| RawMfn(frame.load(Relaxed)))
    }

    fn learn(&self, page: u64, frame: RawMfn) {
        let (tag, at) = self.entry(page);
        tag.store(page + 1, Relaxed);
        at.store(frame.0, Relaxed);
    }

    /// Forgets a page; its own vCPU's to call.
    fn forget_page(&self, page: u64) {
        let (tag, _) = self.entry(page);
        if tag.load(Relaxed) == page + 1 {
            tag.store(0, Relaxed);
        }
    }

    /// Forgets all; its own vCPU's to call.
    pub(super) fn forget(&self) {
        for (tag, _) in &self.entries {
            tag.store(0, Relaxed);
        }
    }

    /// Has it forget all before its next access; anybody's to call.
    pub(super) fn shoot(&self) {
        // ORDERING: Release pairs with the Acquire in `catch_up`; Acquire, with another's flush.
        self.shot.fetch_add(1, AcqRel);
    }
}

impl<B: Backend> Guest<B> {
    /// Gives every vCPU a TLB. To be called before vCPUs run.
    pub fn with_tlb(&self) {
        self.domain.tlbs.store(1, Relaxed);
    }
}

impl<B: Backend> Cpu<'_, B> {
    #[inline]
    fn has_tlb(&self) -> bool {
        self.domain().tlbs.load(Relaxed) != 0
    }

    /// This vCPU forgets all.
    pub(super) fn flush_own(&self) {
        if self.has_tlb() {
            self.state.tlb.forget();
        }
    }

    /// This vCPU forgets the page of an address.
    pub(super) fn flush_page(&self, va: u64) {
        self.state.tlb.forget_page(va >> PAGE_SHIFT);
    }

    /// Every vCPU forgets all.
    pub(super) fn flush_all(&self) {
        for vcpu in self.domain().vcpus.iter() {
            vcpu.tlb.shoot();
        }
    }

    /// What Xen does after an update of a table above L1, if it is of our time.
    #[inline]
    pub(super) fn flush_after_update(&self, level: u32) {
        let flushes = || !self.host().is_of(Era::Before2017);
        if level > 1 && self.has_tlb() && flushes() {
            self.flush_all();
        }
    }

    fn peek(&self, va: u64) -> Result<u64, PageFault> {
        let _runs = self.runs.hold();
        if !self.has_tlb() {
            return self.load_word(va);
        }
        let (tlb, page) = (&self.state.tlb, va >> PAGE_SHIFT);
        tlb.catch_up();
        let frame = match tlb.find(page) {
            Some(frame) => frame,
            None => {
                let (frame, _) = self.reach(va, false)?;
                tlb.learn(page, frame);
                frame
            }
        };
        Ok(self.read_raw(frame, (va & 0xfff) as usize / 8))
    }
}

impl<'g, B: Backend> Access<'g, B> {
    /// Loads the eight bytes that an address lies in, as the processor does: from the frame that its
    /// TLB remembers, or else by a walk from the loaded root, which it remembers then.
    ///
    /// # Errors
    /// [`PageFault`] where nothing is mapped. It is the guest's to handle, and no fault of anybody's.
    pub fn peek(self, va: Va) -> Result<u64, PageFault> {
        self.cpu.peek(va.canonical())
    }

    /// The same, of a page-table entry in view.
    ///
    /// # Errors
    /// [`PageFault`], as [`peek`](Self::peek).
    pub fn peek_pte(self, va: Va) -> Result<ReadPte<'g>, PageFault> {
        Ok(ReadPte {
            pte: Pte(self.peek(va)?),
            stamp: self.cpu.domain().stamp(),
            hold: PhantomData,
        })
    }

    /// `MMUEXT_TLB_FLUSH_LOCAL`.
    ///
    /// # Errors
    /// None of Xen's.
    pub fn flush_local(self) -> Result<(), super::Refused> {
        self.cpu.one(|cpu| {
            cpu.flush_own();
            Ok(())
        })
    }

    /// `MMUEXT_INVLPG_LOCAL`.
    ///
    /// # Errors
    /// None of Xen's.
    pub fn invlpg(self, va: Va) -> Result<(), super::Refused> {
        self.cpu.one(|cpu| {
            cpu.flush_page(va.canonical());
            Ok(())
        })
    }

    /// `MMUEXT_TLB_FLUSH_ALL`: every vCPU of the domain, which takes an interrupt of each.
    ///
    /// # Errors
    /// None of Xen's.
    pub fn flush_all(self) -> Result<(), super::Refused> {
        self.cpu.one(|cpu| {
            cpu.flush_all();
            Ok(())
        })
    }
}
