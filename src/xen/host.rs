//! The machine: every frame's state, the M2P, and the contents.
//!
//! Nothing here is behind a lock. A frame's word and a table's entry change by compare-exchange; the
//! M2P is plain atomics, as in Xen, where a guest may write what it likes for frames it owns.

use super::dirty::DirtyLog;
use super::frame::{Frame, Owner};
use super::guest::{RESERVED, SHARED_INFO};
use super::memory::{Memory, trade};
use super::number::{INVALID, Pfn, RawMfn};
use super::paging::Paging;
use crate::backend::{Atomic, Backend};
use alloc::boxed::Box;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

/// A frame below the end of RAM that is none: a display's.
const LOW_HOLE: usize = 3;
/// A frame of another domain's, and what that one says it is.
const NEIGHBOURS: usize = 4;
const NEIGHBOURS_PFN: u64 = 0x800;
/// A frame of Xen's own: on no list, and nobody gets a reference to it.
pub(super) const XENS: RawMfn = RawMfn(5);

/// A simulated machine.
#[derive(Debug)]
pub struct Host<B: Backend> {
    frames: Box<[B::U64]>,
    m2p: Box<[B::U64]>,
    /// By frame: linear entries in it (above 0) or uses of it elsewhere (below 0), as an `i32`.
    /// Never both: XSA-240.
    pub(super) linear: Box<[B::U32]>,
    pub(super) memory: Memory<B>,
    /// Which of the guest's pages were written, while somebody wants to know.
    pub(super) dirty: DirtyLog<B>,
    /// What kind of tables its guest has.
    pub(super) paging: Paging,
    /// Frames that the guest has, those it gave back but still has mapped included.
    owned: B::U64,
    /// Which Xen it is: an [`Era`](super::Era).
    pub(super) era: B::U64,
    /// Counts that would have gone below zero, or past their end: a simulator's or a control's fault.
    pub(super) miscounts: B::U64,
}

impl<B: Backend> Host<B> {
    /// `frames` free frames, of which `tables` may have contents of their own at once. Frame 0 and the
    /// hole of the display are no RAM; one frame is another domain's.
    pub(super) fn new(frames: usize, tables: usize, paging: Paging) -> Self {
        let host = Self {
            frames: (0..frames).map(|_| B::U64::new(Frame::FREE.0)).collect(),
            m2p: (0..frames).map(|_| B::U64::new(INVALID)).collect(),
            linear: (0..frames).map(|_| B::U32::new(0)).collect(),
            memory: Memory::new(frames, tables),
            dirty: DirtyLog::new(frames),
            paging,
            owned: B::U64::new(0),
            era: B::U64::new(0),
            miscounts: B::U64::new(0),
        };
        for hole in [0, LOW_HOLE] {
            host.frames[hole].store(Frame::given(Owner::NoRam).0, Relaxed);
        }
        host.frames[NEIGHBOURS].store(Frame::given(Owner::Foreign).0, Relaxed);
        host.m2p[NEIGHBOURS].store(NEIGHBOURS_PFN, Relaxed);
        host
    }

    /// How many frames there are.
    pub fn frames(&self) -> u64 {
        self.frames.len() as u64
    }

    /// Whether there is such a frame.
    #[inline]
    pub fn is_frame(&self, mfn: RawMfn) -> bool {
        (mfn.0 as usize) < self.frames.len()
    }

    /// The state of a frame; of one that does not exist, that it is no RAM.
    #[inline]
    pub fn frame(&self, mfn: RawMfn) -> Frame {
        // ORDERING: Acquire pairs with the Release in `update`: who sees a table validated sees the
        // entries that were checked.
        match self.frames.get(mfn.0 as usize) {
            Some(word) => Frame(word.load(Acquire)),
            None => Frame::given(Owner::NoRam),
        }
    }

    /// Replaces the state of a frame by what `change` makes of it; `change` may refuse.
    ///
    /// Returns the state before.
    #[inline]
    pub(super) fn update<E>(
        &self,
        mfn: RawMfn,
        mut change: impl FnMut(Frame) -> Result<Frame, E>,
    ) -> Result<Frame, E> {
        let word = &self.frames[mfn.0 as usize];
        // ORDERING: Acquire, here and on failure, as in `frame`.
        let mut seen = word.load(Acquire);
        loop {
            let next = change(Frame(seen))?;
            // ORDERING: Release pairs with the Acquire in `frame`; see there.
            match word.compare_exchange(seen, next.0, AcqRel, Acquire) {
                Ok(_) => return Ok(Frame(seen)),
                Err(now) => seen = now,
            }
        }
    }

    /// Sets the state of a frame, whatever it was.
    pub(super) fn assign(&self, mfn: RawMfn, frame: Frame) {
        // ORDERING: Release pairs with the Acquire in `frame`.
        self.frames[mfn.0 as usize].store(frame.0, Release);
        self.linear[mfn.0 as usize].store(0, Relaxed);
    }

    /// The M2P: which PFN its owner said the frame is, if it said.
    #[inline]
    pub fn m2p(&self, mfn: RawMfn) -> Option<Pfn> {
        let word = self.m2p.get(mfn.0 as usize)?.load(Relaxed);
        (word != INVALID).then_some(Pfn(word))
    }

    pub(super) fn set_m2p(&self, mfn: RawMfn, pfn: Option<Pfn>) {
        self.m2p[mfn.0 as usize].store(pfn.map_or(INVALID, |p| p.0), Relaxed);
    }

    /// Takes a frame back: no owner, no contents, no M2P.
    pub(super) fn release(&self, mfn: RawMfn) {
        let frame = self.frame(mfn);
        if frame.owner() == Owner::Guest && !frame.xen_heap() {
            self.owned.fetch_sub(1, Relaxed);
        }
        self.memory.clear(mfn);
        self.set_m2p(mfn, None);
        self.assign(mfn, Frame::FREE);
    }

    /// The last reference to a frame is gone: back to the free list, with its contents, which Xen
    /// scrubs only when a domain dies. Its own memory Xen keeps.
    #[cold]
    pub(super) fn free(&self, mfn: RawMfn, before: Frame) {
        if before.allocated() {
            return self.miscounted();
        }
        if before.xen_heap() {
            return;
        }
        self.set_m2p(mfn, None);
        self.owned.fetch_sub(1, Relaxed);
        self.assign(mfn, Frame::FREE);
    }

    /// Gives a frame to the guest as its `pfn`.
    pub(super) fn give(&self, mfn: RawMfn, pfn: Option<Pfn>) {
        self.owned.fetch_add(1, Relaxed);
        self.assign(mfn, Frame::given(Owner::Guest));
        self.set_m2p(mfn, pfn);
    }

    /// Shares a frame of Xen's own with the guest.
    pub(super) fn share(&self, mfn: RawMfn) {
        self.assign(mfn, Frame::shared());
        self.set_m2p(mfn, None);
    }

    /// How many frames the guest has; one that it gave back counts until it is mapped no more.
    pub fn owned(&self) -> u64 {
        self.owned.load(Relaxed)
    }

    /// Gives `1 << order` free frames in a row to the guest, the lowest there are, as long as it has
    /// no more than `most`. They come as they are: nobody scrubs them. Costs a search of all frames.
    pub(super) fn allocate(&self, order: u32, most: u64) -> Option<RawMfn> {
        let size = 1 << order;
        if self.owned.fetch_add(size, Relaxed) + size > most {
            self.owned.fetch_sub(size, Relaxed);
            return None;
        }
        let claim = |mfn: &u64| {
            let free = |f| {
                if f == Frame::FREE {
                    Ok(Frame::given(Owner::Guest))
                } else {
                    Err(())
                }
            };
            self.update(RawMfn(*mfn), free).is_ok()
        };
        let last = self.frames().saturating_sub(size);
        for first in (RESERVED.next_multiple_of(size)..=last).step_by(size as usize) {
            let run = first..first + size;
            let got = run.clone().take_while(claim).count() as u64;
            if got == size {
                return Some(RawMfn(first));
            }
            for mfn in (first..first + got).map(RawMfn) {
                self.assign(mfn, Frame::FREE);
            }
        }
        self.owned.fetch_sub(size, Relaxed);
        None
    }

    /// Another machine like this one, and empty.
    pub(super) fn another(&self) -> Self {
        let other = Self::new(self.frames.len(), self.memory.pages(), self.paging);
        other.era.store(self.era.load(Relaxed), Relaxed);
        other
    }

    /// Whether another machine is of the same size, for the same kind of guest.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let size = |host: &Self| (host.frames(), host.memory.pages());
        size(self) == size(other) && self.paging == other.paging
    }

    /// Changes places with another machine of the same size: whoever has a reference to this one is on
    /// the other from here on, and the paths that are measured need not ask where they are. What went
    /// wrong so far, and the log of writes, stay with the guest. No vCPU is in Xen.
    pub(super) fn trade(&self, other: &Self) {
        trade(&self.frames, &other.frames);
        trade(&self.m2p, &other.m2p);
        trade(&self.linear, &other.linear);
        self.memory.trade(&other.memory);
        let owned = other.owned.swap(self.owned.load(Relaxed), Relaxed);
        self.owned.store(owned, Relaxed);
    }

    /// The guest is here no more: its frames are free, and those that Xen shared with it.
    pub(super) fn vacate(&self) {
        let shared = [SHARED_INFO, SHARED_INFO + 1].into_iter();
        for mfn in shared.chain(RESERVED..self.frames()).map(RawMfn) {
            if self.frame(mfn) != Frame::FREE {
                self.release(mfn);
            }
        }
    }

    pub(super) fn miscounted(&self) {
        self.miscounts.fetch_add(1, Relaxed);
    }
}
