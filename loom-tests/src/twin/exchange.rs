//! Two mistakes with a compare-exchange that loom alone lets pass: it never fails for no reason, and what it
//! returns when it fails is always the newest value. The worse machines must find them.

use super::toy::Protocol;
use ptom::backend::{Atomic, Backend};
use ptom::scheme::Size;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

/// A value that no word ever holds.
const NONE: u32 = u32::MAX;

/// Takes a weak exchange that fails for a rival's success, and sleeps until he leaves.
#[derive(Debug)]
pub(super) struct Credulous<B: Backend> {
    /// 1 while somebody is inside, reader or suspender.
    taken: B::U32,
    /// How often somebody has left.
    left: B::U32,
}

impl<B: Backend> Credulous<B> {
    fn take(&self) {
        loop {
            let left = self.left.load(Relaxed);
            let taken = self.taken.compare_exchange_weak(0, 1, Acquire, Relaxed);
            if taken.is_ok() {
                return;
            }
            while self.left.load(Relaxed) == left {
                B::wait(&self.left, left);
            }
        }
    }

    fn give(&self) {
        self.taken.store(0, Release);
        self.left.fetch_add(1, Relaxed);
        B::wake_all(&self.left);
    }
}

impl<B: Backend> Protocol<B> for Credulous<B> {
    fn new(_: Size) -> Self {
        Self {
            taken: B::U32::new(0),
            left: B::U32::new(0),
        }
    }

    fn enter(&self, _: usize) {
        self.take();
    }

    fn leave(&self, _: usize) {
        self.give();
    }

    fn suspend(&self, _: usize) {
        self.take();
    }

    fn resume(&self, _: usize) {
        self.give();
    }
}

/// Looks at a word by an exchange that fails, as if that could not return an old value.
#[derive(Debug)]
pub(super) struct Peeking<B: Backend> {
    gate: B::U32,
    inside: Vec<B::U32>,
}

/// The newest value, it believes.
fn newest<B: Backend>(word: &B::U32) -> u32 {
    word.compare_exchange(NONE, NONE, AcqRel, Acquire)
        .unwrap_or_else(|found| found)
}

impl<B: Backend> Protocol<B> for Peeking<B> {
    fn new(size: Size) -> Self {
        Self {
            gate: B::U32::new(0),
            inside: (0..size.readers).map(|_| B::U32::new(0)).collect(),
        }
    }

    fn enter(&self, me: usize) {
        self.inside[me].swap(1, AcqRel);
        while newest::<B>(&self.gate) == 1 {
            self.inside[me].swap(0, AcqRel);
            B::wait(&self.gate, 1);
            self.inside[me].swap(1, AcqRel);
        }
    }

    fn leave(&self, me: usize) {
        self.inside[me].swap(0, AcqRel);
    }

    fn suspend(&self, _: usize) {
        self.gate.swap(1, AcqRel);
        for inside in &self.inside {
            while newest::<B>(inside) != 0 {
                B::relax(0);
            }
        }
    }

    fn resume(&self, _: usize) {
        self.gate.swap(0, AcqRel);
        B::wake_all(&self.gate);
    }
}
