//! A payload of plain memory, which is what `ThreadSanitizer` watches.
//!
//! It sees happens-before, by accesses alone, so it says whether every hold is ordered before the
//! suspend that waited for it, and every suspend before the holds that follow: what x86 never gets
//! wrong, and the torn-value oracle cannot see there. [`relaxed`](super::relaxed) shows that it can.
//! It does **not** see
//!
//! * a missing fence: Dekker's handshake without its fence gives no report, unless a torn hold
//!   happens to occur, which is rarer under its instrumentation. The atomic payload is for that.
//! * what only a fence orders: it knows no fences, and would report what is right. A scheme of
//!   ours relies on one where a reader steps back from a shut gate (`percpu`, `epoch`: no report has
//!   come of it), and in `seqlock`'s snapshot, which reads while a suspend writes. So a
//!   scheme whose snapshots write nothing takes none on this payload.
//! * a `Relaxed` store where a Release is needed, if the same word was released before: it takes the
//!   later store for a part of that release.
//! * the inside of std, which is not instrumented: locks of std, and what is built on them, would
//!   be reported falsely. So library contenders are not run on this payload.
#![allow(unsafe_code)]

use super::outcome::Outcome;
use super::payload::{Payload, WORDS};
use super::plan::Plan;
use super::registry::Case;
use super::stress::Quota;
use std::cell::UnsafeCell;

/// Plain words.
#[derive(Debug)]
pub struct Plain([UnsafeCell<u64>; WORDS]);

// SAFETY: whoever called `new` has promised that the accesses exclude each other.
unsafe impl Sync for Plain {}

impl Plain {
    /// Words that are 0.
    ///
    /// # Safety
    /// A write must not run at the same time as any other access: every scheme that a stress runs on
    /// this payload must keep what it promises. (A control does not, and is run only to see the
    /// sanitizer report it, in a process that does nothing else.)
    pub const unsafe fn new() -> Self {
        Self([const { UnsafeCell::new(0) }; WORDS])
    }
}

/// Stresses a scheme on plain memory, in a process that does nothing else.
///
/// What is expected is for a sanitizer to say: without one, x86 shows little of it.
pub(in crate::conformance) fn stress(case: &Case<Plain>, plan: Plan) -> Outcome {
    // SAFETY: a scheme that keeps its promise excludes. The control races, and so does what runs on a
    // broken machine: both are here for a sanitizer to report.
    let payload = unsafe { Plain::new() };
    (case.run)(plan, &payload, &Quota::default())
}

impl Payload for Plain {
    const ATOMIC: bool = false;

    #[inline]
    fn read(&self, index: usize) -> u64 {
        // SAFETY: the cell is alive as long as `self`; nobody writes now, see `new`. Volatile, so that
        // each read of a hold is made.
        unsafe { self.0[index].get().read_volatile() }
    }

    #[inline]
    fn write(&self, index: usize, value: u64) {
        // SAFETY: the cell is alive as long as `self`; nobody else accesses it now, see `new`.
        unsafe { self.0[index].get().write_volatile(value) }
    }
}
