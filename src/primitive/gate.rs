//! The gate that a suspender shuts before it waits for the readers inside.
//!
//! One word. `CLOSED` is set by the suspender that has it shut (one at a time) and cleared by the
//! same. `FENCED` is decided when the gate is made; a scheme with two modes sets it while it has the
//! gate shut, and clears it while nobody has. Readers of other schemes only load the word.
//!
//! The gate alone excludes nobody: a reader announces itself, orders the announcement before its
//! look at the gate, and the suspender shuts the gate, orders that before its look at the
//! announcements. Which fence does it is the scheme's affair, and its cost.

use super::Padded;
use crate::backend::{Atomic, Backend};
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// A suspender has the gate shut.
const CLOSED: u32 = 1;
/// Readers must execute a full fence before they believe the gate: the backend has no asymmetric
/// pair, or the suspender does not want to use it. Being set, it sends every reader down the slow
/// path, so the fast one need not ask.
const FENCED: u32 = 2;

/// A word that readers look at before they go in, and a suspender shuts.
#[derive(Debug)]
pub struct Gate<B: Backend> {
    word: Padded<B::U32>,
}

/// A gate that is shut; dropping it opens the gate, and wakes whoever waits for it.
#[derive(Debug)]
#[must_use = "dropping it opens the gate"]
pub struct Shut<'g, B: Backend>(&'g Gate<B>);

impl<B: Backend> Gate<B> {
    /// An open gate. `fenced` gates are never [`clear`](Self::clear).
    pub fn new(fenced: bool) -> Self {
        Self {
            word: Padded(B::U32::new(if fenced { FENCED } else { 0 })),
        }
    }

    /// Whether a reader may pass without any further thought.
    #[inline]
    pub fn clear(&self) -> bool {
        // ORDERING: Acquire pairs with the Release in `Shut`'s drop: a reader that finds the gate open after
        // a suspend sees everything the suspender did. If the suspender opens first, that holds; if
        // the reader looks first it sees the gate shut, and waits.
        self.word.0.load(Acquire) == 0
    }

    /// Whether the gate is shut.
    pub fn closed(&self) -> bool {
        // ORDERING: Acquire, as in `clear`.
        self.word.0.load(Acquire) & CLOSED != 0
    }

    /// Whether readers execute a full fence; fixed while the gate is shut.
    pub fn fenced(&self) -> bool {
        self.word.0.load(Relaxed) & FENCED != 0
    }

    /// Lets readers go without their full fence from now on; does nothing while a suspender has the
    /// gate shut.
    pub fn unfence(&self) {
        // Relaxed: a read-modify-write, so whoever finds the gate clear because of it still synchronises
        // with the suspender that opened it last.
        let _ = self.word.0.compare_exchange(FENCED, 0, Relaxed, Relaxed);
    }

    /// Sleeps until the gate has been open once.
    #[cold]
    pub fn wait(&self) {
        loop {
            let seen = self.word.0.load(Relaxed);
            if seen & CLOSED == 0 {
                return;
            }
            B::wait(&self.word.0, seen);
        }
    }

    /// Shuts the gate; sleeps while another suspender has it shut.
    pub fn close(&self) -> Shut<'_, B> {
        let word = &self.word.0;
        loop {
            let open = word.load(Relaxed) & !CLOSED;
            // AUDIT: Acquire to Relaxed survives in any scheme: a suspender executes a fence before
            // it looks at anything, since that acquires as well; epoch reads its epoch before, and needs it.
            // ORDERING: Acquire pairs with the Release in `Shut`'s drop: the second of two suspenders sees
            // what the first one did. If the other closes first our exchange fails and we wait; if
            // we are first, theirs does.
            match word.compare_exchange_weak(open, open | CLOSED, Acquire, Relaxed) {
                Ok(_) => return Shut(self),
                Err(_) => self.wait(),
            }
        }
    }
}

impl<B: Backend> Shut<'_, B> {
    /// From now on every reader executes a full fence before it believes the gate. Those that have looked
    /// already did not: a heavy fence must come before anybody relies on it.
    pub fn fence_readers(&self) {
        self.0.word.0.fetch_or(FENCED, Relaxed);
    }
}

impl<B: Backend> Drop for Shut<'_, B> {
    fn drop(&mut self) {
        let word = &self.0.word.0;
        // ORDERING: Release pairs with the Acquire in `clear`, `closed` and `close`; see there.
        word.fetch_and(!CLOSED, Release);
        B::wake_all(word);
    }
}

impl<B: Backend> Gate<B> {
    /// Shuts the gate unless another suspender has it shut.
    pub fn try_close(&self) -> Option<Shut<'_, B>> {
        let word = &self.word.0;
        let open = word.load(Relaxed) & !CLOSED;
        // AUDIT: Acquire to Relaxed survives in any scheme: a suspender's fence follows, as in `close`.
        // ORDERING: Acquire pairs with the Release in `Shut`'s drop, as in `close`; else our exchange fails.
        let closed = word.compare_exchange(open, open | CLOSED, Acquire, Relaxed);
        closed.is_ok().then_some(Shut(self))
    }
}
