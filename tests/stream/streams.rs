//! The streams under test: recorded ones, a small one made up here, and a list of a stream's records.

use lzma_rust2::XzReader;
use ptom::xen::Pfn;
use ptom::xen::stream::{PAGE_SIZE, PageType, State, VcpuRecords};
use std::borrow::Cow;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// A file of `tests/truth/streams`, unpacked.
pub(crate) fn recorded(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/truth/streams");
    let file = File::open(folder.join(name)).unwrap();
    let mut bytes = Vec::new();
    let mut plain = XzReader::new(BufReader::new(file), true);
    plain.read_to_end(&mut bytes).unwrap();
    bytes
}

/// What `xen-mfndump` said of a guest: MFN and type, by PFN.
pub(crate) fn dump(name: &str) -> Vec<(u64, u64)> {
    let text = String::from_utf8(recorded(name)).unwrap();
    let hex = |word: &str| u64::from_str_radix(word.trim_start_matches("0x"), 16).unwrap();
    let lines = text.lines().filter(|line| line.contains("==>"));
    let rows = lines.enumerate().map(|(at, line)| {
        let words = line.split(['=', ' ', '>', '(', ')']);
        let numbers: Vec<u64> = words.filter(|w| w.starts_with("0x")).map(hex).collect();
        let [pfn, mfn, kind] = numbers[..] else {
            panic!("{line}");
        };
        assert_eq!(pfn, at as u64);
        (mfn, kind)
    });
    rows.collect()
}

/// PFNs of the small guest.
pub(crate) const START_INFO: u64 = 0;
pub(crate) const ROOT: u64 = 1;
pub(crate) const L1: u64 = 4;
pub(crate) const DATA: u64 = 5;
pub(crate) const RING: u64 = 6;
pub(crate) const LIST: u64 = 7;
pub(crate) const PAGES: u64 = 8;

/// A guest of eight pages and two vCPUs; the last page holds the P2M list.
pub(crate) fn small(version: u32) -> Vec<u8> {
    let policy = |octets: usize| Cow::Owned(vec![0; if version < 3 { 0 } else { octets }]);
    let state = State {
        version,
        xen: [4, 17],
        cpuid: policy(24),
        msr: policy(16),
        pages: PAGES,
        p2m_frames: vec![Pfn(LIST)],
        tsc: Cow::Owned(vec![0; 24]),
        shared_info: Cow::Owned(vec![0; PAGE_SIZE]),
        vcpus: vec![
            VcpuRecords::new(0, Pfn(ROOT), Some(Pfn(START_INFO))),
            VcpuRecords::new(1, Pfn(ROOT), None),
        ],
    };
    state.write(|pfn, to| {
        let mut put = |at: usize, word: u64| to[8 * at..][..8].copy_from_slice(&word.to_le_bytes());
        match pfn.0 {
            START_INFO => {
                put(7, RING);
                put(9, RING);
                PageType::NoTab
            }
            table @ ROOT..=L1 => {
                put(3, (table + 1) << 12 | 0x65);
                // Not present: an MFN, and nobody's business.
                put(4, 0xdead << 12);
                PageType::Table {
                    level: (L1 + 1 - table) as u32,
                    pinned: table == ROOT,
                }
            }
            _ => PageType::NoTab,
        }
    })
}

/// A record as it lies in a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    pub(crate) kind: u32,
    /// Where its header begins.
    pub(crate) at: usize,
    /// Its body's length, without padding.
    pub(crate) length: usize,
}

impl Record {
    pub(crate) fn body(&self) -> usize {
        self.at + 8
    }

    /// Where the next one begins.
    pub(crate) fn end(&self) -> usize {
        self.body() + self.length.next_multiple_of(8)
    }
}

/// All records of a bare stream, told by their lengths alone.
pub(crate) fn records(stream: &[u8]) -> Vec<Record> {
    let word = |at: usize| u32::from_le_bytes(*stream[at..].first_chunk().unwrap());
    let mut records = Vec::new();
    let mut at = 40;
    while at < stream.len() {
        let record = Record {
            kind: word(at),
            at,
            length: word(at + 4) as usize,
        };
        at = record.end();
        records.push(record);
    }
    records
}
