//! Holds: who may begin one, and what it is.

use super::access::Access;
use super::domain::Cpu;
use super::number::{Mfn, Pfn};
use crate::backend::Backend;

/// Whoever may translate: a vCPU, or the suspender. What pmap code is generic over.
pub trait Mmu<B: Backend> {
    /// The scheme's guard.
    type Guard<'h>
    where
        Self: 'h;

    /// Begins a hold.
    fn hold(&self) -> Held<'_, B, Self::Guard<'_>>;

    /// A point between translating and using, at which a vCPU may be preempted for any length of
    /// time. Nothing happens here, unless a test wraps the vCPU to make it happen.
    #[inline]
    fn preemption_point(&self) {}
}

/// A hold: every MFN translated in it is true while it lives.
#[derive(Debug)]
#[must_use = "dropping the guard ends the hold"]
pub struct Held<'h, B: Backend, G> {
    pub(super) cpu: &'h Cpu<'h, B>,
    pub(super) _guard: G,
}

impl<B: Backend, G> Held<'_, B, G> {
    /// What may be done in the hold.
    #[inline]
    pub fn access(&self) -> Access<'_, B> {
        Access { cpu: self.cpu }
    }

    /// Translates: one load. See [`Access::mfn`].
    #[inline]
    pub fn mfn(&self, pfn: Pfn) -> Option<Mfn<'_>> {
        self.access().mfn(pfn)
    }
}
