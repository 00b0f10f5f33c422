//! Lengths that do not fit the record, and lists that do not fit the length.

use super::{
    BASIC, BATCH, CPUID, END, EXTENDED, MSR, P2M, PV_INFO, SECOND, SHARED, STATIC_END, TSC,
    all_refused, insert, put, resize,
};

#[test]
fn lengths() {
    all_refused(&[
        (
            "record 1 (X86_PV_INFO), octet 0x38: octets too many: 8",
            |b, r| resize(b, r[PV_INFO], 16),
        ),
        (
            "record 1 (X86_PV_INFO), octet 0x37: octets wanted: 1, left: 0",
            |b, r| resize(b, r[PV_INFO], 7),
        ),
        (
            "record 2 (X86_CPUID_POLICY), octet 0x40: length is 25, must be a multiple of 24",
            |b, r| resize(b, r[CPUID], 25),
        ),
        (
            "record 3 (X86_MSR_POLICY), octet 0x60: length is 0, must be a multiple of 16",
            |b, r| resize(b, r[MSR], 0),
        ),
        (
            "record 4 (STATIC_DATA_END), octet 0x78: octets too many: 1",
            |b, r| resize(b, r[STATIC_END], 1),
        ),
        (
            "record 5 (X86_PV_P2M_FRAMES), octet 0x88: octets wanted: 8, left: 0",
            |b, r| resize(b, r[P2M], 8),
        ),
        (
            "record 5 (X86_PV_P2M_FRAMES), octet 0x90: octets too many: 8",
            |b, r| resize(b, r[P2M], 24),
        ),
        (
            "record 6 (PAGE_DATA), octet 0x9c: octets wanted: 1, left: 0",
            |b, r| resize(b, r[BATCH], 4),
        ),
        (
            "record 6 (PAGE_DATA), octet 0xe0: octets wanted: 4096, left: 0",
            |b, r| resize(b, r[BATCH], 8 + 8 * 8),
        ),
        (
            "record 6 (PAGE_DATA), octet 0x70e0: octets wanted: 4096, left: 4088",
            |b, r| resize(b, r[BATCH], r[BATCH].length - 8),
        ),
        (
            "record 6 (PAGE_DATA), octet 0x80e0: octets too many: 8",
            |b, r| resize(b, r[BATCH], r[BATCH].length + 8),
        ),
        (
            "record 7 (X86_TSC_INFO), octet 0x80e8: length is 16, must be 24",
            |b, r| resize(b, r[TSC], 16),
        ),
        (
            "record 8 (SHARED_INFO), octet 0x8108: length is 4088, must be 4096",
            |b, r| resize(b, r[SHARED], 4088),
        ),
        (
            "record 9 (X86_PV_VCPU_BASIC), octet 0x9118: length is 5160, must be 5168 and the header's 8",
            |b, r| resize(b, r[BASIC], 5168),
        ),
        (
            "record 9 (X86_PV_VCPU_BASIC), octet 0x9114: octets wanted: 1, left: 0",
            |b, r| resize(b, r[BASIC], 4),
        ),
        (
            "record 10 (X86_PV_VCPU_EXTENDED), octet 0xa558: length is 128, must be 64 and the header's 8",
            |b, r| resize(b, r[EXTENDED], 136),
        ),
        (
            "record 11 (X86_PV_VCPU_XSAVE), octet 0xa5a8: length is 8, must be 16 at least, and the header's 8",
            |b, r| insert(b, r[SECOND], 6, &[0; 16]),
        ),
        (
            "record 11 (X86_PV_VCPU_MSRS), octet 0xa5a8: length is 0, must be a multiple of 16, and the header's 8",
            |b, r| insert(b, r[SECOND], 12, &[0; 8]),
        ),
        (
            "record 11 (X86_PV_VCPU_MSRS), octet 0xa5a8: length is 17, must be a multiple of 16, and the header's 8",
            |b, r| insert(b, r[SECOND], 12, &[0; 25]),
        ),
        (
            "record 13 (END), octet 0xba30: octets too many: 8",
            |b, r| resize(b, r[END], 8),
        ),
        (
            "record 6 (PAGE_DATA), octet 0x90: length is 4294967295, may be 134217728 at most",
            |b, r| put(b, r[BATCH].at + 4, &[0xff; 4]),
        ),
        (
            "record 6 (PAGE_DATA), octet 0x98: octets wanted: 67141704, left: 47512",
            |b, r| put(b, r[BATCH].at + 7, &[4]),
        ),
        (
            "record 13 (END), octet 0xba30: octets too many: 8",
            |b, _| b.extend([0; 8]),
        ),
    ]);
}
