//! A saved guest, between the saver and the restorer: what a migration stream holds, as it holds it.

use super::number::{Pfn, RawMfn};
use super::pte::Pte;
use super::registers::Words;
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// A page in the image.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) pfn: Pfn,
    /// The guest's frame that it was in, if it was in one.
    pub(super) mfn: Option<RawMfn>,
    /// Its first word, if it has no others and is no table.
    pub(super) canary: u64,
    pub(super) contents: Contents,
}

impl Page {
    /// The table that it is.
    pub(super) fn table(&self) -> Option<&Table> {
        match &self.contents {
            Contents::Table(table) => Some(table),
            Contents::Data(_) | Contents::Lost | Contents::Nothing => None,
        }
    }

    /// Whether its contents are sent.
    pub(super) fn is_sent(&self) -> bool {
        !matches!(self.contents, Contents::Lost | Contents::Nothing)
    }
}

/// What is in a page, as it goes into the image.
#[derive(Debug)]
pub(super) enum Contents {
    /// A page table.
    Table(Table),
    /// The words of a page that is no table, as they are, if any were written.
    Data(Option<Box<[u64]>>),
    /// A page table with an entry that does not resolve: not sent.
    Lost,
    /// None of the guest's, or nothing came of it: not sent.
    Nothing,
}

/// A page table in the image: canonical entries.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) level: u32,
    pub(super) pinned: bool,
    pub(super) entries: Box<[u64]>,
}

/// A saved guest.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) pages: Vec<Page>,
    /// By vCPU slot: the kernel's root and the user's; `None` where there is none.
    pub(super) roots: Roots,
    /// By vCPU slot: the other registers.
    pub(super) registers: Vec<Words>,
    /// The words of shared_info, which has no PFN, if any were written.
    pub(super) shared_info: Option<Box<[u64]>>,
    /// What the guest asked for by `vm_assist`.
    pub(super) assists: u64,
    /// Tables that were dropped whole.
    pub(super) lost: u64,
}

impl Image {
    /// A page, by its PFN.
    pub(super) fn page(&self, pfn: Pfn) -> Option<&Page> {
        let at = self.pages.binary_search_by_key(&pfn, |page| page.pfn);
        Some(&self.pages[at.ok()?])
    }

    /// Leaves out what was not sent, but for what an entry of a table names: for that the restorer makes a
    /// page of zeros.
    pub(super) fn drop_unnamed(&mut self) {
        let unsent = self.pages.iter().filter(|page| !page.is_sent());
        let mut unnamed: BTreeSet<Pfn> = unsent.map(|page| page.pfn).collect();
        if unnamed.is_empty() {
            return;
        }
        let entries = self.pages.iter().filter_map(Page::table);
        let entries = entries.flat_map(|table| table.entries.iter().copied().map(Pte));
        for entry in entries.filter(|entry| entry.present()) {
            unnamed.remove(&Pfn(entry.mfn().0));
        }
        self.pages.retain(|page| !unnamed.contains(&page.pfn));
    }
}

pub(super) type Roots = Vec<[Option<Pfn>; 2]>;
