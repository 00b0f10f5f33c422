//! Records that are missing, come twice, come too late, or should not come at all.

use super::{
    BASIC, BATCH, CPUID, END, EXTENDED, Edit, MSR, P2M, PV_INFO, SECOND, SHARED, STATIC_END, TSC,
    all_refused, copy, insert, page, put, refusal, remove,
};
use crate::streams::{DATA, records, small};
use ptom::xen::stream::Stream;

#[test]
fn missing_repeated_and_out_of_order() {
    all_refused(&[
        (
            "record 1 (X86_CPUID_POLICY), octet 0x28: no X86_PV_INFO came before",
            |b, r| remove(b, r[PV_INFO]),
        ),
        (
            "record 4 (X86_PV_P2M_FRAMES), octet 0x70: no STATIC_DATA_END came before",
            |b, r| remove(b, r[STATIC_END]),
        ),
        (
            "record 5 (PAGE_DATA), octet 0x78: no X86_PV_P2M_FRAMES came before",
            |b, r| remove(b, r[P2M]),
        ),
        (
            "record 6 (X86_TSC_INFO), octet 0xb0: PFN 0x0 was not sent",
            |b, r| remove(b, r[BATCH]),
        ),
        (
            "record 7 (SHARED_INFO), octet 0x80e0: no X86_TSC_INFO came before",
            |b, r| remove(b, r[TSC]),
        ),
        (
            "record 8 (X86_PV_VCPU_BASIC), octet 0x8100: no SHARED_INFO came before",
            |b, r| remove(b, r[SHARED]),
        ),
        (
            "record 9 (END), octet 0x9108: no X86_PV_VCPU_BASIC came before",
            |b, r| {
                b.drain(r[BASIC].at..r[END].at);
            },
        ),
        (
            "record 9 (X86_PV_VCPU_EXTENDED), octet 0x9110: no X86_PV_VCPU_BASIC came before",
            |b, r| remove(b, r[BASIC]),
        ),
        (
            "record 10 (X86_PV_VCPU_BASIC), octet 0xa550: no X86_PV_VCPU_EXTENDED came before",
            |b, r| remove(b, r[EXTENDED]),
        ),
        (
            "record 9 (X86_PV_VCPU_BASIC), octet 0x9110: vCPU is 0x1, must be 0 first, then ascending",
            |b, r| {
                b.drain(r[BASIC].at..r[SECOND].at);
            },
        ),
        (
            "record 13, octet 0xba28: octets wanted: 4, left: 0",
            |b, r| remove(b, r[END]),
        ),
        (
            "record 2 (X86_PV_INFO), octet 0x38: came before, and may come once",
            |b, r| copy(b, r[PV_INFO], r[CPUID]),
        ),
        (
            "record 6 (X86_PV_P2M_FRAMES), octet 0x90: came before, and may come once",
            |b, r| copy(b, r[P2M], r[BATCH]),
        ),
        (
            "record 9 (SHARED_INFO), octet 0x9108: came before, and may come once",
            |b, r| copy(b, r[SHARED], r[BASIC]),
        ),
        (
            "record 11 (X86_PV_VCPU_EXTENDED), octet 0xa5a8: came before, and may come once",
            |b, r| copy(b, r[EXTENDED], r[SECOND]),
        ),
        (
            "record 11 (X86_PV_VCPU_BASIC), octet 0xa5a0: vCPU is 0x0, must be 0 first, then ascending",
            |b, r| copy(b, r[BASIC], r[SECOND]),
        ),
        (
            "record 3 (X86_CPUID_POLICY), octet 0x50: must come before X86_MSR_POLICY",
            |b, r| copy(b, r[MSR], r[CPUID]),
        ),
        (
            "record 7 (SHARED_INFO), octet 0x80e0: no X86_TSC_INFO came before",
            |b, r| copy(b, r[SHARED], r[TSC]),
        ),
        (
            "record 8 (PAGE_DATA), octet 0x8100: must come before X86_TSC_INFO",
            |b, r| copy(b, r[BATCH], r[SHARED]),
        ),
        (
            "record 10 (X86_PV_VCPU_XSAVE), octet 0xa550: no X86_PV_VCPU_EXTENDED came before",
            |b, r| insert(b, r[EXTENDED], 6, &[0; 24]),
        ),
        (
            "record 12 (X86_PV_VCPU_XSAVE), octet 0xa5c8: must come before X86_PV_VCPU_MSRS",
            |b, r| {
                insert(b, r[SECOND], 6, &[0; 24]);
                insert(b, r[SECOND], 12, &[0; 24]);
            },
        ),
        (
            "record 14 (END), octet 0xba30: no X86_TSC_INFO came before",
            |b, r| insert(b, r[END], 0x0e, &[]),
        ),
        (
            "record 6 (VERIFY), octet 0x98: PFN 0x0 was not sent",
            |b, r| insert(b, r[BATCH], 0x0d, &[]),
        ),
    ]);
}

#[test]
fn kinds() {
    all_refused(&[
        (
            "record 6 (type 0x21), octet 0x90: no such record is known, and it is not optional",
            |b, r| put(b, r[BATCH].at, &[0x21]),
        ),
        (
            "record 7 (HVM_CONTEXT), octet 0x80e0: has no place in the stream of a PV guest",
            |b, r| insert(b, r[TSC], 0x09, &[0; 8]),
        ),
        (
            "record 7 (HVM_PARAMS), octet 0x80e0: has no place in the stream of a PV guest",
            |b, r| insert(b, r[TSC], 0x0a, &[0; 8]),
        ),
        (
            "record 7 (TOOLSTACK), octet 0x80e0: has no place in the stream of a PV guest",
            |b, r| insert(b, r[TSC], 0x0b, &[]),
        ),
        (
            "record 7 (CHECKPOINT_DIRTY_PFN_LIST), octet 0x80e0: has no place in the stream of a PV guest",
            |b, r| insert(b, r[TSC], 0x0f, &[]),
        ),
        // An optional record is skipped, but not what pads it.
        (
            "record 7 (type 0x80000000), octet 0x80e9: padding is 0x1, must be 0",
            |b, r| {
                insert(b, r[TSC], 1 << 31, &[7]);
                put(b, r[TSC].at + 9, &[1]);
            },
        ),
    ]);
    let static_data: Edit = |b, r| insert(b, r[1], 0x11, &[0; 24]);
    let line = refusal(2, static_data);
    assert_eq!(
        line,
        "record 2 (X86_CPUID_POLICY), octet 0x38: has no place in a stream of version 2"
    );
    for version in [2, 3] {
        let mut bytes = small(version);
        let before = records(&bytes)[1];
        insert(&mut bytes, before, 1 << 31 | 1, b"anything");
        assert_eq!(Stream::read(&bytes).unwrap().write(), small(version));
    }
}

#[test]
fn a_live_save_sends_pages_again_and_a_checkpoint_all_but_the_pages() {
    let once = small(3);
    let r = records(&once);
    let mut live = once.clone();
    copy(&mut live, r[BATCH], r[TSC]);
    let first = page(r[BATCH], DATA);
    live[first] = 1;
    let same = |bytes: &[u8]| assert_eq!(Stream::read(bytes).unwrap().write(), once);
    same(&live);
    let mut verified = once.clone();
    copy(&mut verified, r[BATCH], r[TSC]);
    insert(&mut verified, r[TSC], 0x0d, &[]);
    same(&verified);
    let mut checkpoints = once.clone();
    let set = once[r[TSC].at..r[END].at].to_vec();
    let checkpoint = [0x0e, 0, 0, 0, 0, 0, 0, 0];
    let another = [&set[..], &checkpoint].concat();
    checkpoints.splice(r[TSC].at..r[TSC].at, another);
    same(&checkpoints);
}
