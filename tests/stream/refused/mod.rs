//! Every way in which a stream can be wrong, and the line that says so.
//!
//! Many are accepted by Xen's `verify-stream-v2`, which is a check of the format and no more.

mod fields;
mod lengths;
mod order;

use crate::streams::{PAGES, Record, records, small};
use ptom::xen::stream::Stream;

/// Where the small stream has which record.
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
