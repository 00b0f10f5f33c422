//! Snapshots: translations that were all true at one instant, and may be so no more.

use super::domain::Domain;
use super::number::{P2mWord, Pfn, RawMfn};
use crate::backend::Backend;
use core::cell::Cell;
use core::marker::PhantomData;

/// What a snapshot translates with.
#[derive(Debug)]
pub struct Snap<'x, B: Backend> {
    domain: &'x Domain<B>,
    first: Cell<Option<P2mWord>>,
    differ: Cell<bool>,
}

/// An MFN that was right at the instant of its snapshot. No hypercall takes it.
#[derive(Clone, Copy, Debug)]
pub struct SnapMfn<'x>(RawMfn, PhantomData<&'x ()>);

impl SnapMfn<'_> {
    /// The number, at rest.
    pub fn raw(self) -> RawMfn {
        self.0
    }
}

impl<'x, B: Backend> Snap<'x, B> {
    pub(super) fn of(domain: &'x Domain<B>) -> Self {
        Self {
            domain,
            first: Cell::new(None),
            differ: Cell::new(false),
        }
    }

    /// Whether two of its translations were of different incarnations.
    pub(super) fn torn(&self) -> bool {
        self.differ.get()
    }

    /// Translates: one load, and a comparison of its stamp with the first one's.
    #[inline]
    pub fn mfn(&self, pfn: Pfn) -> Option<SnapMfn<'_>> {
        let word = self.domain.p2m(pfn)?;
        match self.first.get() {
            None => self.first.set(Some(word)),
            Some(first) if first.stamp() != word.stamp() => self.differ.set(true),
            Some(_) => {}
        }
        Some(SnapMfn(word.raw(), PhantomData))
    }
}
