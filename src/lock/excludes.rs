//! Which schemes may guard data: an unsafe promise, since `Claims` are only words.

#![allow(unsafe_code)]

use crate::backend::Native;
use crate::scheme::{Scheme, percpu::PerCpu, percpu_asym::PerCpuAsym};

/// A scheme whose holds keep a suspender away from plain data.
///
/// # Safety
///
/// From the return of [`hold`](crate::scheme::Translate::hold) until its guard is dropped (if it is leaked: until its reader is dropped), no
/// [`suspend`](crate::scheme::Reader::suspend) and no [`try_suspend`](crate::scheme::Reader::try_suspend) of the same scheme succeeds; from
/// their success until their guard is dropped (if it is leaked: for ever), no hold begins and no other of them
/// succeeds. All that is true of readers that register meanwhile, too. What was
/// written before the end of the one happens before the beginning of the other.
///
/// For a lock to keep its word, beyond what is a matter of safety: `hold` does not wait while no suspend is under
/// way or asked for, and [`reader`](Scheme::reader) returns while one is. A panic in `suspend` leaves nothing suspended.
pub unsafe trait Excludes: Scheme<Native> {}

// SAFETY: the models `exclusion`, `rivals`, `tries`, `leaks` and their weakenings, in results/models.csv and
// results/orderings.csv, with plain data behind the hold.
unsafe impl Excludes for PerCpu<Native> {}
// SAFETY: the same models.
unsafe impl Excludes for PerCpuAsym<Native> {}
