//! Rules of Xen's that no recorded row shows: told by its notes and its source, checked one by one.

mod batches;
mod carried;
mod domains;
mod entries;
mod exchange;
mod flushes;
mod operations;

use super::calls::fresh;
use super::replay::Replay;

pub(super) const EPERM: i64 = -1;
pub(super) const ESRCH: i64 = -3;
pub(super) const EACCES: i64 = -13;
pub(super) const EFAULT: i64 = -14;
pub(super) const EBUSY: i64 = -16;
pub(super) const EINVAL: i64 = -22;
pub(super) const ENOSYS: i64 = -38;
pub(super) const EOPNOTSUPP: i64 = -95;

pub(super) const PIN_L1: u32 = 0;
pub(super) const PIN_L4: u32 = 3;
pub(super) const UNPIN: u32 = 4;
pub(super) const NEW_BASEPTR: u32 = 5;
pub(super) const NEW_USER_BASEPTR: u32 = 15;
pub(super) const CLEAR_PAGE: u32 = 16;
pub(super) const COPY_PAGE: u32 = 17;

/// Runs a test on a fresh guest, whose counts must be right at the end.
fn on_guest(test: impl FnOnce(&mut Replay<'_>)) {
    let (machine, run) = fresh();
    let mut replay = Replay::new(&machine, &run);
    test(&mut replay);
    assert_eq!(machine.guest().broken_invariants(), 0);
}
