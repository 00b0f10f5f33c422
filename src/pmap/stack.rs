//! A stack of pages behind a lock: what is set aside, by PFN.

use crate::backend::{Atomic, Backend};
use crate::primitive::Ticket;
use crate::xen::Pfn;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::Ordering::Relaxed;

/// No page: the bottom.
const NONE: u64 = u64::MAX;

/// A stack of pages; a page is on it once at most. Its words are accessed under `lock`.
#[derive(Debug)]
pub(super) struct Stack<B: Backend> {
    lock: Ticket<B>,
    top: B::U64,
    len: B::U64,
    /// By PFN, of a page on it: the one below.
    under: Box<[B::U64]>,
}

impl<B: Backend> Stack<B> {
    /// An empty one, for PFNs below `pages`.
    pub(super) fn new(pages: u64) -> Self {
        Self {
            lock: Ticket::default(),
            top: B::U64::new(NONE),
            len: B::U64::new(0),
            under: (0..pages).map(|_| B::U64::new(NONE)).collect(),
        }
    }

    /// Puts pages on it.
    pub(super) fn push(&self, pages: impl IntoIterator<Item = Pfn>) {
        let _locked = self.lock.lock();
        for page in pages {
            self.under[page.0 as usize].store(self.top.load(Relaxed), Relaxed);
            self.top.store(page.0, Relaxed);
            self.len.store(self.len.load(Relaxed) + 1, Relaxed);
        }
    }

    /// Takes up to `most` pages off, the last ones first.
    pub(super) fn pop(&self, most: usize) -> Vec<Pfn> {
        let _locked = self.lock.lock();
        let count = self.len.load(Relaxed).min(most as u64);
        let page = |_| {
            let top = self.top.load(Relaxed);
            self.top
                .store(self.under[top as usize].load(Relaxed), Relaxed);
            Pfn(top)
        };
        let taken = (0..count).map(page).collect();
        self.len.store(self.len.load(Relaxed) - count, Relaxed);
        taken
    }

    /// How many pages are on it.
    pub(super) fn len(&self) -> u64 {
        self.len.load(Relaxed)
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use crate::backend::Native;

    #[test]
    fn what_was_put_last_comes_first() {
        let stack = Stack::<Native>::new(8);
        stack.push([Pfn(3), Pfn(7), Pfn(0)]);
        assert_eq!(stack.pop(2), [Pfn(0), Pfn(7)]);
        stack.push([Pfn(7)]);
        assert_eq!(stack.len(), 2);
        assert_eq!(stack.pop(9), [Pfn(7), Pfn(3)]);
        assert_eq!((stack.pop(1), stack.len()), (Vec::new(), 0));
    }
}
