//! The page tables in a stream, walked from a root: every present entry must lead where Xen would let it.

use super::reader::Stream;
use super::records::PageType;
use crate::xen::number::{ENTRIES, Pfn};
use crate::xen::pte::Pte;
use crate::xen::validate::XEN_SLOTS;
use alloc::collections::BTreeSet;
use core::fmt;

/// What a walk came by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// Tables, by level from 1; each once, however often it is reached.
    pub tables: [u64; 4],
    /// Present entries, by the level of their table.
    pub entries: [u64; 4],
    /// Those among them that lead to a table of the same level: linear page tables.
    pub linear: u64,
    /// Those that name a PFN without contents. It comes back as an empty page: a table that the save
    /// dropped, as a rule.
    pub empty: u64,
}

/// An entry that leads nowhere, or where it must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Astray {
    /// The table's page.
    pub table: Pfn,
    /// The table's level; 0 if it is no page table.
    pub level: u32,
    /// The entry's place.
    pub index: usize,
    /// The entry.
    pub entry: Pte,
}

impl fmt::Display for Astray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "entry {} of the level {} table at PFN {:#x} is {:#x}, which Xen would refuse",
            self.index, self.level, self.table.0, self.entry.0
        )
    }
}

impl core::error::Error for Astray {}

impl Stream<'_> {
    /// Where page tables begin: the vCPUs' roots, for the kernel and for users, and whatever is pinned.
    pub fn roots(&self) -> BTreeSet<Pfn> {
        let of_vcpu = self.state.vcpus.iter();
        let loaded = of_vcpu.flat_map(|v| [Some(v.root()), v.user_root()]);
        let pinned = self.pages().filter_map(|(pfn, page)| {
            matches!(page.kind, PageType::Table { pinned: true, .. }).then_some(pfn)
        });
        loaded.flatten().chain(pinned).collect()
    }

    /// Walks all tables that are reached from `roots`, each once.
    ///
    /// # Errors
    /// [`Astray`], the first entry that Xen would not validate: into a slot that is Xen's, to a page of
    /// the wrong type or without a frame, or writable to a page table.
    pub fn walk(&self, roots: impl IntoIterator<Item = Pfn>) -> Result<Walked, Astray> {
        let mut walk = Walk {
            stream: self,
            seen: BTreeSet::new(),
            walked: Walked::default(),
        };
        for root in roots {
            walk.table(root)?;
        }
        Ok(walk.walked)
    }
}

struct Walk<'s> {
    stream: &'s Stream<'s>,
    seen: BTreeSet<Pfn>,
    walked: Walked,
}

impl Walk<'_> {
    /// Levels only go down, so this is four calls deep at most.
    fn table(&mut self, pfn: Pfn) -> Result<(), Astray> {
        let stream = self.stream;
        let level = stream.level(pfn).unwrap_or(0);
        let astray = |index, entry| Astray {
            table: pfn,
            level,
            index,
            entry,
        };
        let Some(page) = stream.page(pfn).filter(|_| level > 0) else {
            return Err(astray(0, Pte::default()));
        };
        if !self.seen.insert(pfn) {
            return Ok(());
        }
        self.walked.tables[level as usize - 1] += 1;
        let entries = page.words().take(ENTRIES).map(Pte).enumerate();
        for (index, entry) in entries.filter(|(_, entry)| entry.present()) {
            let target = Pfn(entry.mfn().0);
            let below = stream.level(target);
            let kind = stream.page(target).map(|page| page.kind);
            let empty = matches!(kind, Some(PageType::XTab | PageType::XAlloc));
            let linear = level > 1 && below == Some(level);
            let leads = match level {
                4 if XEN_SLOTS.contains(&index) => false,
                _ if empty => true,
                1 => stream.page(target).is_some_and(|p| p.kind.has_contents()),
                _ => linear || below == Some(level - 1),
            };
            let hole = (level == 1 || linear) && below.is_some() && entry.writable();
            if !leads || hole {
                return Err(astray(index, entry));
            }
            self.walked.entries[level as usize - 1] += 1;
            self.walked.linear += u64::from(linear);
            self.walked.empty += u64::from(empty);
            if level > 1 && !linear && !empty {
                self.table(target)?;
            }
        }
        Ok(())
    }
}

impl Stream<'_> {
    /// The level of a page table.
    fn level(&self, pfn: Pfn) -> Option<u32> {
        match self.page(pfn)?.kind {
            PageType::Table { level, .. } => Some(level),
            _ => None,
        }
    }
}
