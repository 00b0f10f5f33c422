//! Fields that hold what they must not, and names of pages that are not the right ones.

use super::{
    BASIC, BATCH, EXTENDED, P2M, PV_INFO, SECOND, TSC, all_refused, context, copy, entry, insert,
    page, put, word,
};
use crate::streams::{DATA, L1, PAGES, RING, ROOT, records};

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
