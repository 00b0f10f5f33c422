//! The contents of machine frames.
//!
//! Most frames hold data that nobody looks at: their first word, the *canary*, stands for it, and the others
//! are 0. A frame that is written entry by entry (a page table; a data page hit by a stray store) gets
//! 512 real words from a pool, when it is first written.

use super::number::{ENTRIES, RawMfn};
use crate::backend::{Atomic, Backend};
use alloc::boxed::Box;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// The pool, and which frame has which page of it.
#[derive(Debug)]
pub struct Memory<B: Backend> {
    /// By frame: 0, or 1 + its page in the pool.
    page: Box<[B::U32]>,
    /// By frame: its first word while it has no page.
    canary: Box<[B::U64]>,
    words: Box<[B::U64]>,
    /// The free pages of the pool, a stack: a count of changes above, 1 + the top below.
    free: B::U64,
    /// By page: 0, or 1 + the page under it on the stack.
    under: Box<[B::U32]>,
    /// Writes that found the pool empty, and were lost.
    pub(super) lost: B::U64,
}

const LOW: u64 = u32::MAX as u64;

impl<B: Backend> Memory<B> {
    /// `frames` empty frames, of which `pages` can be written at once.
    pub(super) fn new(frames: usize, pages: usize) -> Self {
        Self {
            page: (0..frames).map(|_| B::U32::new(0)).collect(),
            canary: (0..frames).map(|_| B::U64::new(0)).collect(),
            words: (0..pages * ENTRIES).map(|_| B::U64::new(0)).collect(),
            free: B::U64::new(pages as u64),
            under: (0..pages as u32).map(B::U32::new).collect(),
            lost: B::U64::new(0),
        }
    }

    #[inline]
    fn word(&self, page: u32, index: usize) -> &B::U64 {
        &self.words[(page as usize - 1) * ENTRIES + index]
    }

    /// Entry `index` of a frame.
    #[inline]
    pub(super) fn read(&self, frame: RawMfn, index: usize) -> u64 {
        // ORDERING: Acquire pairs with the Release in `writable`: who sees the page sees its zeros.
        match self.page[frame.0 as usize].load(Acquire) {
            0 if index == 0 => self.canary(frame).load(Relaxed),
            0 => 0,
            // ORDERING: Acquire pairs with the Release half in `exchange`: who sees an entry sees
            // the table it points to as its writer left it.
            page => self.word(page, index).load(Acquire),
        }
    }

    /// Replaces entry `index` of a frame if it is `old`.
    pub(super) fn exchange(
        &self,
        frame: RawMfn,
        index: usize,
        old: u64,
        new: u64,
    ) -> Result<(), u64> {
        let Some(page) = self.writable(frame) else {
            return Ok(());
        };
        // ORDERING: Release pairs with the Acquire in `read`; Acquire, with another writer's Release.
        self.word(page, index)
            .compare_exchange(old, new, core::sync::atomic::Ordering::AcqRel, Acquire)
            .map(drop)
    }

    /// Overwrites entry `index` of a frame, whatever was there.
    pub(super) fn write(&self, frame: RawMfn, index: usize, new: u64) {
        if let Some(page) = self.writable(frame) {
            // ORDERING: Release pairs with the Acquire in `read`.
            self.word(page, index).store(new, Release);
        }
    }

    /// Replaces entry `index` of a frame by what `merge` makes of it.
    pub(super) fn merge(&self, frame: RawMfn, index: usize, merge: impl Fn(u64) -> u64) {
        let mut old = self.read(frame, index);
        while let Err(found) = self.exchange(frame, index, old, merge(old)) {
            old = found;
        }
    }

    /// Sets bits of entry `index` of a frame, and says whether one was not; costs a load if they are.
    pub(super) fn set_bits(&self, frame: RawMfn, index: usize, bits: u64) -> bool {
        let missing = self.read(frame, index) & bits != bits;
        if missing {
            self.merge(frame, index, |old| old | bits);
        }
        missing
    }

    /// The words of a frame; `None` if it has none of its own.
    pub(super) fn words(&self, frame: RawMfn) -> Option<Box<[u64]>> {
        // ORDERING: Acquire, as in `read`.
        let written = self.page[frame.0 as usize].load(Acquire) != 0;
        written.then(|| (0..ENTRIES).map(|index| self.read(frame, index)).collect())
    }

    /// Writes the first word of a frame, without a page if it has none.
    pub(super) fn fill(&self, frame: RawMfn, canary: u64) {
        // ORDERING: Acquire, as in `read`.
        match self.page[frame.0 as usize].load(Acquire) {
            0 => self.canary(frame).store(canary, Relaxed),
            _ => self.write(frame, 0, canary),
        }
    }

    /// Makes a frame read as another.
    pub(super) fn copy(&self, from: RawMfn, to: RawMfn) {
        // ORDERING: Acquire, as in `read`.
        if self.page[from.0 as usize].load(Acquire) == 0 {
            let canary = self.read(from, 0);
            self.clear(to);
            self.fill(to, canary);
            return;
        }
        for index in 0..ENTRIES {
            let word = self.read(from, index);
            if word != self.read(to, index) {
                self.write(to, index, word);
            }
        }
    }

    /// The page of a frame, taken from the pool if it has none; `None` when the pool is empty, and
    /// the write is lost, and counted. (The pool is sized so that only a run gone wrong gets there.)
    fn writable(&self, frame: RawMfn) -> Option<u32> {
        let slot = &self.page[frame.0 as usize];
        // ORDERING: Acquire, as in `read`.
        let page = slot.load(Acquire);
        if page != 0 {
            return Some(page);
        }
        let Some(mine) = self.pop() else {
            self.lost.fetch_add(1, Relaxed);
            return None;
        };
        let canary = self.canary(frame).load(Relaxed);
        self.word(mine, 0).store(canary, Relaxed);
        for index in 1..ENTRIES {
            self.word(mine, index).store(0, Relaxed);
        }
        // ORDERING: Release publishes the words to `read`; Acquire, as there, if another was first.
        match slot.compare_exchange(0, mine, Release, Acquire) {
            Ok(_) => Some(mine),
            Err(theirs) => {
                self.push(mine);
                Some(theirs)
            }
        }
    }

    /// Makes a frame read as zeros again.
    pub(super) fn clear(&self, frame: RawMfn) {
        // ORDERING: Acquire pairs with the Release in `writable`, of whoever took the page.
        let page = self.page[frame.0 as usize].swap(0, Acquire);
        if page != 0 {
            self.push(page);
        }
        self.canary[frame.0 as usize].store(0, Relaxed);
    }

    /// Pages of the pool.
    pub(super) fn pages(&self) -> usize {
        self.under.len()
    }

    /// Changes places with another of the same size.
    pub(super) fn trade(&self, other: &Self) {
        trade(&self.page, &other.page);
        trade(&self.canary, &other.canary);
        trade(&self.words, &other.words);
        trade(&self.under, &other.under);
        let free = other.free.swap(self.free.load(Relaxed), Relaxed);
        self.free.store(free, Relaxed);
    }

    fn canary(&self, frame: RawMfn) -> &B::U64 {
        &self.canary[frame.0 as usize]
    }

    fn pop(&self) -> Option<u32> {
        // ORDERING: Acquire pairs with the Release in `push`: the link under the top is as its pusher
        // left it. The count of changes above the top keeps a popped and pushed page from passing for
        // one that never moved.
        let mut seen = self.free.load(Acquire);
        loop {
            let top = (seen & LOW) as u32;
            if top == 0 {
                return None;
            }
            let under = self.under[top as usize - 1].load(Relaxed) as u64;
            let next = (seen & !LOW).wrapping_add(LOW + 1) | under;
            // ORDERING: Acquire, as above.
            match self.free.compare_exchange(seen, next, Acquire, Acquire) {
                Ok(_) => return Some(top),
                Err(now) => seen = now,
            }
        }
    }

    fn push(&self, page: u32) {
        let mut seen = self.free.load(Relaxed);
        loop {
            self.under[page as usize - 1].store((seen & LOW) as u32, Relaxed);
            let next = (seen & !LOW).wrapping_add(LOW + 1) | page as u64;
            // ORDERING: Release pairs with the Acquire in `pop`; see there.
            match self.free.compare_exchange(seen, next, Release, Relaxed) {
                Ok(_) => return,
                Err(now) => seen = now,
            }
        }
    }
}

/// Exchanges words one by one. Nobody else may write any of them.
pub(super) fn trade<W, A: Atomic<W>>(ours: &[A], theirs: &[A]) {
    for (our, their) in ours.iter().zip(theirs) {
        our.store(their.swap(our.load(Relaxed), Relaxed), Relaxed);
    }
}
