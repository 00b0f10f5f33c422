//! The loops, written once for every site.
//!
//! Each does `n` operations from the same start, and returns a checksum that depends on `n` and the
//! table alone: what every contender must return, and so nobody can have skipped.
//!
//! | loop | index of the next read | an operation is |
//! |---|---|---|
//! | [`hold`] | Weyl sequence: known early, so reads overlap | hold, translate, let go |
//! | [`nested`] | the same | the same, within one hold round all |
//! | [`dependent`] | the MFN just read: reads cannot overlap | hold, translate, let go |
//! | [`snapshot`] | Weyl sequence | a snapshot of one translation |
//! | [`far`] | as the first and the third, on 8 MiB | hold, translate, let go |
//! | [`busy`] | Weyl sequence | hold, translate, work for a while, let go |
//!
//! They are not inlined, so that each is a function of its own in the machine code. The first four are so
//! short that it matters where that lies: they exist once for each [`place`](super::place).

use super::p2m::ENTRIES;
use super::place::shift;
use super::site::Site;
use super::{busy, far};
use crate::lab::sample::Workload;

/// 2^64 over the golden ratio, odd: the step of the Weyl sequence.
pub const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
/// Leaves the top bits of the sequence: a PFN of the table.
pub const SHIFT: u32 = u64::BITS - ENTRIES.trailing_zeros();
/// What a loop returns when a translation failed, which no table of ours lets happen.
pub const FAILED: u64 = u64::MAX;

const _: () = assert!(ENTRIES.is_power_of_two());

/// Hold, translate, let go.
#[inline(never)]
pub fn hold<const PLACE: usize>(site: &impl Site, n: u64) -> u64 {
    shift::<PLACE>();
    let (mut x, mut sum) = (0u64, 0u64);
    for _ in 0..n {
        x = x.wrapping_add(GOLDEN);
        match site.with(x >> SHIFT, |mfn| mfn) {
            Some(mfn) => sum = sum.wrapping_add(mfn),
            None => return FAILED,
        }
    }
    sum
}

/// Hold, translate, let go; all within one hold.
#[inline(never)]
pub fn nested<const PLACE: usize>(site: &impl Site, n: u64) -> u64 {
    site.held(|| hold::<PLACE>(site, n))
}

/// Hold, translate, let go; the MFN is the next PFN.
#[inline(never)]
pub fn dependent<const PLACE: usize>(site: &impl Site, n: u64) -> u64 {
    shift::<PLACE>();
    let mut pfn = 0u64;
    for _ in 0..n {
        match site.with(pfn, |mfn| mfn) {
            Some(mfn) => pfn = mfn,
            None => return FAILED,
        }
    }
    pfn
}

/// A snapshot of one translation.
#[inline(never)]
pub fn snapshot<const PLACE: usize>(site: &impl Site, n: u64) -> u64 {
    shift::<PLACE>();
    let (mut x, mut sum) = (0u64, 0u64);
    for _ in 0..n {
        x = x.wrapping_add(GOLDEN);
        match site.snapshot(x >> SHIFT) {
            Some(mfn) => sum = sum.wrapping_add(mfn),
            None => return FAILED,
        }
    }
    sum
}

/// The loop of a workload, if it is one of [`ON_A_TABLE`], from the start, wherever it lies.
pub fn run(workload: Workload, site: &impl Site, n: u64) -> u64 {
    run_from::<0>(workload, site, &mut 0, n)
}

/// The same at a place; a loop on the far table begins where `at` says and moves it, the others begin anew.
pub fn run_from<const PLACE: usize>(
    workload: Workload,
    site: &impl Site,
    at: &mut u64,
    n: u64,
) -> u64 {
    match workload {
        Workload::Hold => hold::<PLACE>(site, n),
        Workload::Nested => nested::<PLACE>(site, n),
        Workload::Dependent => dependent::<PLACE>(site, n),
        Workload::Snapshot => snapshot::<PLACE>(site, n),
        Workload::HoldSuspended => hold::<PLACE>(site, n),
        Workload::Nested4 => site.held(|| site.held(|| nested::<PLACE>(site, n))),
        Workload::HoldFar => far::hold(site, at, n),
        Workload::DependentFar => far::dependent(site, at, n),
        Workload::Hold10 => busy::hold(site, busy::steps(10), n),
        Workload::Hold100 => busy::hold(site, busy::steps(100), n),
        Workload::Hold1000 => busy::hold(site, busy::steps(1_000), n),
        Workload::PmapExtract
        | Workload::PmapEnter
        | Workload::Replay
        | Workload::ReplayGccMake
        | Workload::ReplayCargoBuild => FAILED,
    }
}

/// Whether a workload's loop is so short that its place matters.
pub fn is_placed(workload: Workload) -> bool {
    use Workload::{Dependent, Hold, HoldSuspended, Nested, Nested4, Snapshot};
    let placed = [Hold, Nested, Nested4, Dependent, Snapshot, HoldSuspended];
    placed.contains(&workload)
}

/// The workloads that [`run`] knows.
pub const ON_A_TABLE: [Workload; 11] = [
    Workload::Hold,
    Workload::Nested,
    Workload::Dependent,
    Workload::Snapshot,
    Workload::HoldFar,
    Workload::DependentFar,
    Workload::Hold10,
    Workload::Hold100,
    Workload::Hold1000,
    Workload::Nested4,
    Workload::HoldSuspended,
];
