//! A scheme that can be told to go wrong, and, not being of the registry, stands for a user's own.

use ptom::backend::Native;
use ptom::primitive::{Full, Gate, Shut, Slots};
use ptom::scheme::{Claims, Describe, Free, Reader, Scheme, Size, Translate};
use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst, fence};

/// As `percpu`, but: a guard's drop ends every hold of its reader, which is wrong if `NESTS`; and a
/// snapshot holds only if `HOLDS`.
#[derive(Debug)]
pub(crate) struct Twin<const NESTS: bool, const HOLDS: bool> {
    gate: Gate<Native>,
    inside: Slots<Native, AtomicU64>,
}

#[derive(Debug)]
pub(crate) struct TwinReader<'s, const NESTS: bool, const HOLDS: bool> {
    scheme: &'s Twin<NESTS, HOLDS>,
    slot: usize,
    not_sync: PhantomData<Cell<()>>,
}

#[derive(Debug)]
#[must_use = "dropping the guard ends the hold"]
pub(crate) struct Hold<'h>(&'h AtomicU64);

#[derive(Debug)]
#[must_use = "dropping it resumes"]
pub(crate) struct Suspended<'r>(#[allow(dead_code)] Shut<'r, Native>);

impl Translate for Suspended<'_> {
    type Hold<'h>
        = Free
    where
        Self: 'h;

    fn hold(&self) -> Free {
        Free
    }
}

impl<const NESTS: bool, const HOLDS: bool> Describe for Twin<NESTS, HOLDS> {
    const NAME: &'static str = "twin";
    const PRECEDENT: &'static str = "none";
    const CLAIMS: Claims = Claims {
        holds: true,
        nests: NESTS,
        bounded_wait: true,
        sleeps_in_hold: true,
        snapshot_free_of_writes: false,
        needs_quiescence: false,
        suspends_alone: true,
        drop_ends_leaks: false,
    };
}

impl<const NESTS: bool, const HOLDS: bool> Scheme<Native> for Twin<NESTS, HOLDS> {
    type Reader<'s> = TwinReader<'s, NESTS, HOLDS>;

    fn new(size: Size) -> Self {
        Self {
            gate: Gate::new(false),
            inside: Slots::new(size.readers, || AtomicU64::new(0)),
        }
    }

    fn reader(&self) -> Result<Self::Reader<'_>, Full> {
        Ok(TwinReader {
            scheme: self,
            slot: self.inside.claim()?,
            not_sync: PhantomData,
        })
    }
}

impl<const NESTS: bool, const HOLDS: bool> Drop for TwinReader<'_, NESTS, HOLDS> {
    fn drop(&mut self) {
        self.scheme.inside.release(self.slot);
    }
}

impl<const NESTS: bool, const HOLDS: bool> Translate for TwinReader<'_, NESTS, HOLDS> {
    type Hold<'h>
        = Hold<'h>
    where
        Self: 'h;

    fn hold(&self) -> Hold<'_> {
        let inside = self.scheme.inside.get(self.slot);
        while inside.swap(1, SeqCst) == 0 && !self.scheme.gate.clear() {
            inside.store(0, SeqCst);
            self.scheme.gate.wait();
        }
        Hold(inside)
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.0.store(0, SeqCst);
    }
}

impl<const NESTS: bool, const HOLDS: bool> Reader for TwinReader<'_, NESTS, HOLDS> {
    type Suspended<'r>
        = Suspended<'r>
    where
        Self: 'r;

    fn snapshot<R>(&self, mut section: impl FnMut() -> R) -> R {
        let _hold = HOLDS.then(|| self.hold());
        section()
    }

    fn suspend(&mut self) -> Self::Suspended<'_> {
        let shut = self.scheme.gate.close();
        fence(SeqCst);
        for inside in self.scheme.inside.iter() {
            while inside.load(SeqCst) != 0 {
                std::thread::yield_now();
            }
        }
        Suspended(shut)
    }
}
