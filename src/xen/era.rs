//! Which Xen it is, where the rules of page tables have changed.

use super::guest::Guest;
use super::host::Host;
use crate::backend::{Atomic, Backend};
use core::sync::atomic::Ordering::Relaxed;

/// A time, named by what came after it. A later variant is earlier, and lacks more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u64)]
pub enum Era {
    /// A table that is named by another of its level may name none itself (XSA-240, 2017), and every
    /// update above L1 flushes the TLBs of the domain's vCPUs (XSA-286, 2020).
    #[default]
    Now = 0,
    /// Neither.
    Before2017 = 1,
    /// Nor migration streams of version 2 (Xen 4.6, 2015): a restore pins the page tables **first**, and
    /// loads the vCPUs' roots then. So it was when NetBSD had alternate slots.
    ///
    /// The saver is today's all the same. That of the time refused to save a guest that was not migrated
    /// live, if an entry did not resolve ("Fatal PT race").
    Before2015 = 2,
}

impl<B: Backend> Guest<B> {
    /// Makes Xen that of another time. To be called before vCPUs run.
    pub fn as_of(&self, era: Era) {
        self.host.era.store(era as u64, Relaxed);
    }
}

impl<B: Backend> Host<B> {
    /// Whether it is of this time, or an earlier one.
    #[inline]
    pub(super) fn is_of(&self, era: Era) -> bool {
        self.era.load(Relaxed) >= era as u64
    }
}
