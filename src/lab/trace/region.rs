//! The mappings of one address space, as the trace tells them.
//!
//! Invariant: regions do not overlap and none is empty; a page outside them all is unknown.

use std::collections::BTreeMap;
use std::ops::Range;
use std::vec::Vec;

use super::perf::Access;

/// What is behind a page.
///
/// Two neighbouring pages of one mapping compare equal, and so does the same mapping seen again:
/// the test for growth and changes of protection is `==`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Backing {
    /// Memory of the process's own.
    Anonymous,
    /// The page `page + base` (wrapping) of an object.
    Object { id: u32, base: u64 },
}

/// A range of pages with one backing and one access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Region {
    /// The first page.
    pub(super) start: u64,
    /// The page after the last.
    pub(super) end: u64,
    /// What is behind it.
    pub(super) backing: Backing,
    /// How it may be used.
    pub(super) access: Access,
}

impl Region {
    /// What a page in no region is taken for: writable anonymous memory.
    pub(super) fn unknown(page: u64) -> Self {
        Self {
            start: page,
            end: page + 1,
            backing: Backing::Anonymous,
            access: Access {
                read: true,
                write: true,
                execute: false,
                private: true,
            },
        }
    }
}

/// The regions of one address space.
#[derive(Clone, Debug, Default)]
pub(super) struct Regions {
    /// By first page.
    by_start: BTreeMap<u64, Region>,
}

impl Regions {
    /// The region that a page is in.
    pub(super) fn at(&self, page: u64) -> Option<Region> {
        let (_, region) = self.by_start.range(..=page).next_back()?;
        (page < region.end).then_some(*region)
    }

    /// The parts of a range, in order and without gaps, each with what is behind it.
    /// What is in no region counts as anonymous.
    pub(super) fn parts(&self, range: Range<u64>) -> Vec<(Range<u64>, Backing)> {
        let mut parts = Vec::new();
        let mut next = range.start;
        for region in self.overlapping(range.clone()) {
            let (start, end) = (region.start.max(range.start), region.end.min(range.end));
            if next < start {
                parts.push((next..start, Backing::Anonymous));
            }
            parts.push((start..end, region.backing));
            next = end;
        }
        if next < range.end {
            parts.push((next..range.end, Backing::Anonymous));
        }
        parts
    }

    /// Puts a region in place of all that it overlaps.
    pub(super) fn insert(&mut self, new: Region) {
        for old in self.overlapping(new.start..new.end) {
            self.by_start.remove(&old.start);
            if old.start < new.start {
                let end = new.start;
                self.by_start.insert(old.start, Region { end, ..old });
            }
            if new.end < old.end {
                let start = new.end;
                self.by_start.insert(start, Region { start, ..old });
            }
        }
        self.by_start.insert(new.start, new);
    }

    /// Every shared, writable region.
    pub(super) fn shared_writable(&self) -> impl Iterator<Item = &Region> {
        self.by_start
            .values()
            .filter(|region| region.access.write && !region.access.private)
    }

    fn overlapping(&self, range: Range<u64>) -> Vec<Region> {
        let before = self.by_start.range(..range.start).next_back();
        before
            .into_iter()
            .filter(|(_, region)| region.end > range.start)
            .chain(self.by_start.range(range.clone()))
            .map(|(_, region)| *region)
            .collect()
    }
}
