//! Doubly-linked lists of pmaps, by their places in the kernel's table.
//!
//! All of it is accessed under the list's lock (`pmaps_lock`).

use crate::backend::{Atomic, Backend};
use core::sync::atomic::Ordering::Relaxed;

/// No pmap: the end of a list.
const NONE: u32 = u32::MAX;

/// A pmap's place on a list.
#[derive(Debug)]
pub(super) struct Links<B: Backend> {
    next: B::U32,
    prev: B::U32,
}

impl<B: Backend> Default for Links<B> {
    fn default() -> Self {
        Self {
            next: B::U32::new(NONE),
            prev: B::U32::new(NONE),
        }
    }
}

/// A list's head.
#[derive(Debug)]
pub(super) struct List<B: Backend> {
    first: B::U32,
}

impl<B: Backend> Default for List<B> {
    fn default() -> Self {
        Self {
            first: B::U32::new(NONE),
        }
    }
}

impl<B: Backend> List<B> {
    /// The first on it.
    pub(super) fn first(&self) -> Option<u32> {
        some(&self.first)
    }

    /// Puts `id`, which is not on it, first. `links` are the places on this list, by pmap.
    pub(super) fn push<'l>(&self, id: u32, links: impl Fn(u32) -> &'l Links<B>) {
        let first = self.first.load(Relaxed);
        if first != NONE {
            links(first).prev.store(id, Relaxed);
        }
        links(id).next.store(first, Relaxed);
        links(id).prev.store(NONE, Relaxed);
        self.first.store(id, Relaxed);
    }

    /// Takes `id`, which is on it, off.
    pub(super) fn unlink<'l>(&self, id: u32, links: impl Fn(u32) -> &'l Links<B>) {
        let next = links(id).next.load(Relaxed);
        let prev = links(id).prev.load(Relaxed);
        match prev {
            NONE => self.first.store(next, Relaxed),
            prev => links(prev).next.store(next, Relaxed),
        }
        if next != NONE {
            links(next).prev.store(prev, Relaxed);
        }
    }

    /// All on it, first to last. The list must not change meanwhile, but for what was returned.
    pub(super) fn iter<'l>(
        &self,
        links: impl Fn(u32) -> &'l Links<B>,
    ) -> impl Iterator<Item = u32> {
        let mut at = self.first();
        core::iter::from_fn(move || {
            let id = at?;
            at = some(&links(id).next);
            Some(id)
        })
    }
}

fn some<A: Atomic<u32>>(word: &A) -> Option<u32> {
    let id = word.load(Relaxed);
    (id != NONE).then_some(id)
}
