//! shared_info across a suspend: what the restorer keeps, and what it resets.
//!
//! The page has no PFN and is not saved as one; its contents are carried word by word. What speaks of
//! event channels is reset, as all of them are gone, and so is the P2M's frame list, which the guest
//! builds anew. The P2M's root is kept though: an MFN of the machine that was left.
//!
//! Source: `handle_shared_info` in `xg_sr_restore_x86_pv.c`; observed on Xen 4.17.

use core::ops::Range;

/// Eight words for each of 32 vCPUs, the second of which says where events are pending.
const VCPUS: Range<usize> = 0..0x100;
const VCPU: usize = 8;
const PENDING_SELECTOR: usize = 1;
const EVENTS_MASKED: Range<usize> = 0x140..0x180;
/// The wall clock, and the architecture's part: `max_pfn`, the frame list, `nmi_reason`, and the P2M's
/// root, address and generation.
const CLOCK_AND_ARCH: Range<usize> = 0x180..0x188;
pub(crate) const P2M_FRAME_LIST: usize = 0x183;

/// What word `index` is after a restore, if it was `old` before the save.
pub(super) fn restored(index: usize, old: u64) -> u64 {
    if EVENTS_MASKED.contains(&index) {
        return u64::MAX;
    }
    let vcpu = VCPUS.contains(&index) && index % VCPU != PENDING_SELECTOR;
    let kept = vcpu || CLOCK_AND_ARCH.contains(&index) && index != P2M_FRAME_LIST;
    if kept { old } else { 0 }
}
