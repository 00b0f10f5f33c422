//! What a guest is at the end of a run, to be compared with another run's.
//!
//! By process and address: what the page holds, and what may be done to it. PFNs are no part of it,
//! since which page a process gets depends on who asked first; contents stand for them. Neither are the
//! accessed and dirty bits, which the processor sets when it likes.

use crate::backend::Backend;
use crate::lab::trace::{Op, Script};
use crate::pmap::{Kernel, PmapId, RECURSIVE_SLOT};
use crate::xen::{Access, Mfn, Mmu, Pte};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// A page of a process: the clone of the trace, its process, and the page's number.
type Place = (usize, u32, u64);

/// A page as a process finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Found {
    /// `None`: the mapping leads to no page of the guest's.
    contents: Option<u64>,
    flags: u64,
}

/// All pages of all processes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct End(BTreeMap<Place, Found>);

impl End {
    /// Adds the processes of a clone, by walking their tables.
    pub(super) fn add<B: Backend>(
        &mut self,
        mmu: &impl Mmu<B>,
        kernel: &Kernel<B>,
        clone: usize,
        spaces: &[Option<PmapId>],
    ) {
        let hold = mmu.hold();
        let access = hold.access();
        for (space, pmap) in (0..).zip(spaces) {
            let root = pmap.and_then(|pmap| access.mfn(kernel.root(pmap)));
            if let Some(root) = root {
                walk(access, root, 4, 0, &mut |page, found| {
                    self.0.insert((clone, space, page), found);
                });
            }
        }
    }

    /// How this one differs from what it should be.
    pub fn differences(&self, should: &End) -> Differences {
        let mut differences = Differences {
            pages: should.0.len() as u64,
            ..Differences::default()
        };
        for (place, right) in &should.0 {
            let found = self.0.get(place);
            let counter = match found {
                None => &mut differences.missing,
                Some(found) if found.contents != right.contents => &mut differences.contents,
                Some(found) if found.flags != right.flags => &mut differences.permissions,
                Some(_) => continue,
            };
            *counter += 1;
            differences.example.get_or_insert_with(|| {
                let (clone, space, page) = place;
                let found = found.map_or("nothing".to_owned(), Found::to_string);
                format!("clone {clone}, process {space}, page {page:#x}: {found} for {right}")
            });
        }
        let extra = self.0.keys().filter(|place| !should.0.contains_key(place));
        differences.extra = extra.count() as u64;
        differences
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.contents {
            Some(contents) => write!(f, "contents {contents:#x}")?,
            None => f.write_str("no page of the guest's")?,
        }
        let writable = Pte(self.flags).writable();
        f.write_str(if writable {
            ", writable"
        } else {
            ", read-only"
        })
    }
}

fn walk<B: Backend>(
    access: Access<'_, B>,
    table: Mfn<'_>,
    level: u32,
    base: u64,
    found: &mut impl FnMut(u64, Found),
) {
    access.each_present(table, |index, entry| {
        let process = level < 4 || index < RECURSIVE_SLOT;
        let Some(mfn) = entry.mfn().filter(|_| process) else {
            return;
        };
        let page = base | (index as u64) << (9 * (level - 1));
        if level > 1 {
            return walk(access, mfn, level - 1, page, found);
        }
        let contents = access.pfn(mfn).and_then(|pfn| access.contents(pfn));
        let flags = entry.pte().flags() & !(Pte::A | Pte::D);
        found(page, Found { contents, flags });
    });
}

/// How many pages of the processes are not what they should be, and in which way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Differences {
    /// Pages that there should be.
    pub pages: u64,
    /// Of these, not mapped.
    pub missing: u64,
    /// Of these, with other contents.
    pub contents: u64,
    /// Of these, with other permissions.
    pub permissions: u64,
    /// Pages that there should not be.
    pub extra: u64,
    /// The first that is missing or other.
    pub example: Option<String>,
}

impl Differences {
    /// Pages that differ in any way.
    pub fn count(&self) -> u64 {
        self.missing + self.contents + self.permissions + self.extra
    }
}

/// Where in a trace most pages are in use: the number of operations up to there.
pub(super) fn fullest(script: &Script) -> usize {
    let (mut most, mut at, mut taken) = (0, script.ops.len(), 0);
    for (done, op) in (1..).zip(&script.ops) {
        match op {
            Op::Alloc { .. } => taken += 1,
            Op::Free { .. } => taken -= 1,
            _ => {}
        }
        if taken > most {
            (most, at) = (taken, done);
        }
    }
    at
}
