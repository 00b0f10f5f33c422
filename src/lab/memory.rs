//! Whether a simulated machine fits into this one.

use std::fs;

/// Bytes that the system could give, if it says.
pub(in crate::lab) fn available() -> Option<u64> {
    let info = fs::read_to_string("/proc/meminfo").ok()?;
    let line = info
        .lines()
        .find(|line| line.starts_with("MemAvailable:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// Bytes of a simulated machine: a table's words, a frame's state, a page's P2M and lists, a pmap.
pub(in crate::lab) fn machine(pages: u64, pmaps: u64) -> u64 {
    let (tables, frames) = (pages / 4, 2 * pages);
    tables * 4_100 + frames * 40 + pages * 24 + pmaps * 256
}

/// As a person reads it.
pub(in crate::lab) fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1_000_000))
}
