//! Every way in which a stream can be wrong, and the line that says so.
//!
//! Most are accepted by Xen's `verify-stream-v2`, which is a check of the format and no more.

use crate::streams::{DATA, L1, PAGES, RING, ROOT, Record, records, small};
use ptom::xen::stream::Stream;

const PV_INFO: usize = 0;
const CPUID: usize = 1;
const MSR: usize = 2;
const STATIC_END: usize = 3;
const P2M: usize = 4;
const BATCH: usize = 5;
const TSC: usize = 6;
const SHARED: usize = 7;
const BASIC: usize = 8;
const EXTENDED: usize = 9;
const SECOND: usize = 10;
const END: usize = 12;

type Edit = fn(&mut Vec<u8>, &[Record]);

fn put(bytes: &mut [u8], at: usize, new: &[u8]) {
    bytes[at..at + new.len()].copy_from_slice(new);
}

fn word(bytes: &mut [u8], at: usize, new: u64) {
    put(bytes, at, &new.to_le_bytes());
}

/// Octets inserted or taken away at the end of a record's body, its length changed to fit.
fn resize(bytes: &mut Vec<u8>, record: Record, length: usize) {
    let mut body = bytes[record.body()..record.body() + record.length].to_vec();
    body.resize(length.next_multiple_of(8), 0);
    put(bytes, record.at + 4, &(length as u32).to_le_bytes());
    bytes.splice(record.body()..record.end(), body);
}

fn remove(bytes: &mut Vec<u8>, record: Record) {
    bytes.drain(record.at..record.end());
}

/// A record inserted before another.
fn insert(bytes: &mut Vec<u8>, before: Record, kind: u32, body: &[u8]) {
    let mut new = kind.to_le_bytes().to_vec();
    new.extend((body.len() as u32).to_le_bytes());
    new.extend(body);
    new.resize(new.len().next_multiple_of(8), 0);
    bytes.splice(before.at..before.at, new);
}

/// A copy of a record, before another.
fn copy(bytes: &mut Vec<u8>, record: Record, before: Record) {
    let body = bytes[record.body()..record.body() + record.length].to_vec();
    insert(bytes, before, record.kind, &body);
}

/// Where a batch has the entry of a PFN, and the contents of the page.
fn entry(batch: Record, pfn: u64) -> usize {
    batch.body() + 8 + 8 * pfn as usize
}

fn page(batch: Record, pfn: u64) -> usize {
    entry(batch, PAGES) + 4096 * pfn as usize
}

/// A word of a vCPU's context.
fn context(basic: Record, offset: usize) -> usize {
    basic.body() + 8 + offset
}

fn refusal(version: u32, edit: Edit) -> String {
    let mut bytes = small(version);
    let records = records(&bytes);
    edit(&mut bytes, &records);
    let refused = Stream::read(&bytes).expect_err("it was read");
    let line = refused.to_string();
    assert!(!line.contains('\n') && refused.offset() <= bytes.len());
    assert_eq!(refused.record().is_some(), line.contains("record "));
    line.strip_prefix("stream: ").unwrap().to_owned()
}

fn all_refused(cases: &[(&str, Edit)]) {
    for (line, edit) in cases {
        assert_eq!(refusal(3, *edit), *line);
    }
}

#[test]
fn the_small_stream_itself_is_read() {
    for version in [2, 3] {
        let bytes = small(version);
        assert_eq!(Stream::read(&bytes).unwrap().write(), bytes);
    }
}

#[test]
fn headers() {
    all_refused(&[
        (
            "image header, octet 0x0: marker is 0xfffffffeffffffff, must be all ones",
            |b, _| b[3] = 0xfe,
        ),
        (
            "image header, octet 0x8: id is 0x454e46, must be 0x58454e46, XENF",
            |b, _| b[8] = 0,
        ),
        (
            "image header, octet 0xc: version is 0x4, must be 2 or 3",
            |b, _| b[15] = 4,
        ),
        (
            "image header, octet 0xc: version is 0x1, must be 2 or 3",
            |b, _| b[15] = 1,
        ),
        (
            "image header, octet 0x10: options is 0x1, must be 0, little-endian",
            |b, _| b[17] = 1,
        ),
        (
            "image header, octet 0x13: reserved octet is 0x1, must be 0",
            |b, _| b[19] = 1,
        ),
        (
            "domain header, octet 0x18: domain type is 0x2, must be 1, x86 PV",
            |b, _| b[24] = 2,
        ),
        (
            "domain header, octet 0x1c: page shift is 0xd, must be 12",
            |b, _| b[28] = 13,
        ),
        (
            "domain header, octet 0x1e: reserved octet is 0x1, must be 0",
            |b, _| b[30] = 1,
        ),
    ]);
}

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
fn fields() {
    all_refused(&[
        (
            "record 1 (X86_PV_INFO), octet 0x30: guest width is 0x4, must be 8",
            |b, r| b[r[PV_INFO].body()] = 4,
        ),
        (
            "record 1 (X86_PV_INFO), octet 0x31: levels of page tables is 0x3, must be 4",
            |b, r| b[r[PV_INFO].body() + 1] = 3,
        ),
        (
            "record 1 (X86_PV_INFO), octet 0x37: reserved octet is 0x1, must be 0",
            |b, r| b[r[PV_INFO].body() + 7] = 1,
        ),
        (
            "record 5 (X86_PV_P2M_FRAMES), octet 0x80: start PFN is 0x1, must be 0",
            |b, r| b[r[P2M].body()] = 1,
        ),
        (
            "record 6 (PAGE_DATA), octet 0xd8: a page is PFN 0x7, the guest has 0x7",
            |b, r| b[r[P2M].body() + 4] = 6,
        ),
        (
            "record 7 (X86_TSC_INFO), octet 0x8100: PFN 0x8 was not sent",
            |b, r| b[r[P2M].body() + 4] = 8,
        ),
        (
            "record 5 (X86_PV_P2M_FRAMES), octet 0x88: octets wanted: 67108864, left: 8",
            |b, r| put(b, r[P2M].body() + 4, &[0xff; 4]),
        ),
        (
            "record 5 (X86_PV_P2M_FRAMES), octet 0x88: a page of the P2M list is PFN 0x8, the guest has 0x8",
            |b, r| b[r[P2M].body() + 8] = 8,
        ),
        (
            "record 5 (X86_PV_P2M_FRAMES), octet 0x88: a page of the P2M list is PFN 0x1, which is not a page of data",
            |b, r| b[r[P2M].body() + 8] = ROOT as u8,
        ),
        (
            "record 7 (X86_TSC_INFO), octet 0x80fc: reserved octet is 0x9, must be 0",
            |b, r| b[r[TSC].body() + 20] = 9,
        ),
        (
            "record 9 (X86_PV_VCPU_BASIC), octet 0x9110: vCPU is 0x1, must be 0 first, then ascending",
            |b, r| b[r[BASIC].body()] = 1,
        ),
        (
            "record 9 (X86_PV_VCPU_BASIC), octet 0x9114: reserved octet is 0x1, must be 0",
            |b, r| b[r[BASIC].body() + 4] = 1,
        ),
        (
            "record 10 (X86_PV_VCPU_EXTENDED), octet 0xa550: vCPU is 0x1, must be that of X86_PV_VCPU_BASIC before",
            |b, r| b[r[EXTENDED].body()] = 1,
        ),
        (
            "record 11 (X86_PV_VCPU_BASIC), octet 0xa5a0: vCPU is 0x0, must be 0 first, then ascending",
            |b, r| b[r[SECOND].body()] = 0,
        ),
    ]);
}

#[test]
fn pages() {
    all_refused(&[
        (
            "record 6 (PAGE_DATA), octet 0x98: count is 0x0, must be 1 at least",
            |b, r| b[r[BATCH].body()] = 0,
        ),
        (
            "record 6 (PAGE_DATA), octet 0x70d8: octets too many: 4104",
            |b, r| b[r[BATCH].body()] = 7,
        ),
        (
            "record 6 (PAGE_DATA), octet 0xa0: octets wanted: 34359738360, left: 32832",
            |b, r| put(b, r[BATCH].body(), &[0xff; 4]),
        ),
        (
            "record 6 (PAGE_DATA), octet 0x9c: reserved octet is 0x1, must be 0",
            |b, r| b[r[BATCH].body() + 4] = 1,
        ),
        (
            "record 6 (PAGE_DATA), octet 0xc8: entry is 0x5000000000000005, must be a PFN of 52 bits, 8 bits reserved, a type but 5 to 8",
            |b, r| b[entry(r[BATCH], DATA) + 7] = 5 << 4,
        ),
        (
            "record 6 (PAGE_DATA), octet 0xc8: entry is 0x8000000000000005, must be a PFN of 52 bits, 8 bits reserved, a type but 5 to 8",
            |b, r| b[entry(r[BATCH], DATA) + 7] = 8 << 4,
        ),
        (
            "record 6 (PAGE_DATA), octet 0x70e0: octets too many: 4096",
            |b, r| b[entry(r[BATCH], DATA) + 7] = 13 << 4,
        ),
        (
            "record 6 (PAGE_DATA), octet 0xc8: entry is 0x10000000000005, must be a PFN of 52 bits, 8 bits reserved, a type but 5 to 8",
            |b, r| b[entry(r[BATCH], DATA) + 6] = 0x10,
        ),
        (
            "record 6 (PAGE_DATA), octet 0xd0: PFN 0x6 is twice in one batch",
            |b, r| b[entry(r[BATCH], DATA)] = RING as u8,
        ),
        (
            "record 6 (PAGE_DATA), octet 0xc8: a page is PFN 0x8, the guest has 0x8",
            |b, r| b[entry(r[BATCH], DATA)] = PAGES as u8,
        ),
        (
            "record 6 (PAGE_DATA), octet 0x40f0: entry 2 of the page table at PFN 0x4 is 0x8001, which names no page",
            |b, r| word(b, page(r[BATCH], L1) + 16, 8 << 12 | 1),
        ),
        // VERIFY sends pages once more, and they must be the same.
        (
            "record 8 (PAGE_DATA), octet 0x8120: PFN 0x5 is not what was sent before",
            |b, r| {
                copy(b, r[BATCH], r[TSC]);
                insert(b, r[TSC], 0x0d, &[]);
                let again = records(b)[BATCH + 2];
                b[page(again, DATA)] = 1;
            },
        ),
    ]);
}

#[test]
fn what_names_pages() {
    all_refused(&[
        (
            "record 9 (X86_PV_VCPU_BASIC), octet 0x9110: the root (cr3) is PFN 0x9, the guest has 0x8",
            |b, r| word(b, context(r[BASIC], 5008), 9 << 12),
        ),
        (
            "record 9 (X86_PV_VCPU_BASIC), octet 0x9110: the root (cr3) is PFN 0x2, which is not a root",
            |b, r| word(b, context(r[BASIC], 5008), 2 << 12),
        ),
        (
            "record 9 (X86_PV_VCPU_BASIC), octet 0x9110: the root (cr3) is 0x1001, must be a PFN shifted by 12, and bit 0 set for a user root",
            |b, r| word(b, context(r[BASIC], 5008), 1 << 12 | 1),
        ),
        (
            "record 11 (X86_PV_VCPU_BASIC), octet 0xa5a0: the user root (cr1) is 0x1000, must be a PFN shifted by 12, and bit 0 set for a user root",
            |b, r| word(b, context(r[SECOND], 4992), 1 << 12),
        ),
        (
            "record 11 (X86_PV_VCPU_BASIC), octet 0xa5a0: the user root (cr1) is PFN 0x5, which is not a root",
            |b, r| word(b, context(r[SECOND], 4992), 5 << 12 | 1),
        ),
        (
            "record 9 (X86_PV_VCPU_BASIC), octet 0x9110: start_info (rdx) is PFN 0x9, the guest has 0x8",
            |b, r| word(b, context(r[BASIC], 616), 9),
        ),
        (
            "record 9 (X86_PV_VCPU_BASIC), octet 0x9110: start_info (rdx) is PFN 0x1, which is not a page of data",
            |b, r| word(b, context(r[BASIC], 616), ROOT),
        ),
        (
            "record 9 (X86_PV_VCPU_BASIC), octet 0x9110: number of GDT entries is 0x1c01, must be 7168 at most",
            |b, r| word(b, context(r[BASIC], 4960), 7169),
        ),
        (
            "record 9 (X86_PV_VCPU_BASIC), octet 0x9110: a frame of the GDT is PFN 0x1, which is not a page of data",
            |b, r| {
                word(b, context(r[BASIC], 4960), 513);
                word(b, context(r[BASIC], 4840), ROOT);
            },
        ),
        (
            "record 9 (X86_PV_VCPU_BASIC), octet 0x9110: the store's ring is PFN 0x3e146, the guest has 0x8",
            |b, r| word(b, page(r[BATCH], 0) + 56, 0x3e146),
        ),
        (
            "record 9 (X86_PV_VCPU_BASIC), octet 0x9110: the console's ring is PFN 0x1, which is not a page of data",
            |b, r| word(b, page(r[BATCH], 0) + 72, ROOT),
        ),
    ]);
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
