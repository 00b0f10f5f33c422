//! A pmap's directory: the tables whose entries are its slots, found from its root.
//!
//! On amd64 the root is the directory, and finding it costs nothing. With PAE the four L2 tables are, which a
//! root names from its first hold to its last: finding one costs a read of the root (NetBSD keeps their
//! addresses beside it, `pm_pdirpa`).

use super::kernel::Kernel;
use super::{PmapError, PmapId};
use crate::backend::Backend;
use crate::xen::number::ENTRIES;
use crate::xen::{Access, Mfn, MmuUpdate, NewPte, Pfn, Pte, PteAddr, ReadPte};
use alloc::vec::Vec;

/// Where a slot is: a table, and the entry's index in it.
pub(super) type Place<'g> = (Mfn<'g>, usize);

impl<B: Backend> Kernel<B> {
    /// Page `at` of the directory under a root.
    #[inline]
    pub(super) fn directory<'g>(
        &self,
        access: Access<'g, B>,
        root: Mfn<'g>,
        at: usize,
    ) -> Option<Mfn<'g>> {
        match self.layout.pages {
            1 => Some(root),
            _ => access.read(root, at).mfn(),
        }
    }

    /// Where a slot of a root's directory is.
    #[inline]
    pub(super) fn place<'g>(
        &self,
        access: Access<'g, B>,
        root: Mfn<'g>,
        slot: usize,
    ) -> Option<Place<'g>> {
        let table = self.directory(access, root, slot / ENTRIES)?;
        Some((table, slot % ENTRIES))
    }

    /// What is in a slot of a pmap's.
    pub(super) fn slot_of<'g>(
        &self,
        access: Access<'g, B>,
        pmap: PmapId,
        slot: usize,
    ) -> Option<ReadPte<'g>> {
        let root = access.mfn(self.root(pmap))?;
        let (table, index) = self.place(access, root, slot)?;
        Some(access.read(table, index))
    }

    /// The updates that make the slots from `first` on, one for each page of a directory, name those of
    /// `named`; or nothing.
    pub(super) fn aimed<'g>(
        &self,
        access: Access<'g, B>,
        root: Mfn<'g>,
        first: usize,
        named: Option<Mfn<'g>>,
    ) -> Result<Vec<MmuUpdate<'g>>, PmapError> {
        let update = |at| {
            let (table, index) = self.place(access, root, first + at)?;
            let val = match named {
                None => NewPte::ZERO,
                Some(named) => Self::recursive(self.directory(access, named, at)?),
            };
            Some(MmuUpdate::normal(table.entry(index), val))
        };
        let updates: Option<_> = (0..self.layout.pages).map(update).collect();
        updates.ok_or(PmapError::Nothing)
    }

    /// The updates that give the pages of a directory the kernel's half.
    pub(super) fn kernel_half<'g>(
        &self,
        access: Access<'g, B>,
        directory: &[Mfn<'g>],
    ) -> Result<Vec<MmuUpdate<'g>>, PmapError> {
        let update = |(slot, table): (usize, &Pfn)| {
            let val = NewPte::map(access.mfn(*table)?, super::table::TABLE);
            Some(MmuUpdate::normal(slot_in(directory, slot), val))
        };
        let slots = self.layout.kernel.clone();
        let updates: Option<_> = slots.zip(&self.kernel_tables).map(update).collect();
        updates.ok_or(PmapError::Nothing)
    }

    /// The updates that make each recursive slot name its page of the directory.
    pub(super) fn own_slots<'g>(&self, directory: &[Mfn<'g>]) -> Vec<MmuUpdate<'g>> {
        let slots = (self.layout.recursive..).zip(directory);
        let updates = slots.map(|(slot, page)| {
            MmuUpdate::normal(slot_in(directory, slot), Self::recursive(*page))
        });
        updates.collect()
    }

    /// The directory among the pages of a root, which comes first.
    pub(super) fn directory_of<'p, 'g>(&self, pages: &'p [Mfn<'g>]) -> &'p [Mfn<'g>] {
        &pages[pages.len() - self.layout.pages..]
    }

    /// Pins zeroed pages, of which the first is to be the root, and the others its directory.
    ///
    /// Xen wants a PAE root whole before it is one: its last entry can never be set later.
    pub(super) fn pin_pages<'g>(
        &self,
        access: Access<'g, B>,
        pages: &[Mfn<'g>],
    ) -> Result<(), PmapError> {
        let [root, directory @ ..] = pages else {
            return Err(PmapError::Nothing);
        };
        let links = directory.iter().enumerate();
        let links =
            links.map(|(at, page)| MmuUpdate::normal(root.entry(at), NewPte::map(*page, Pte::P)));
        let links: Vec<_> = links.collect();
        if !links.is_empty() {
            access.mmu_update(&links)?;
        }
        Ok(access.pin(*root, self.levels)?)
    }

    /// The pages of a root, itself first.
    pub(super) fn pages_of(&self, access: Access<'_, B>, root: Pfn) -> Vec<Pfn> {
        let mut pages = alloc::vec![root];
        if let (2.., Some(root)) = (self.layout.pages, access.mfn(root)) {
            let directory = (0..self.layout.pages).map(|at| self.directory(access, root, at));
            pages.extend(directory.filter_map(|page| access.pfn(page?)));
        }
        pages
    }
}

/// A slot of a directory with these pages.
fn slot_in<'g>(directory: &[Mfn<'g>], slot: usize) -> PteAddr<'g> {
    directory[slot / ENTRIES].entry(slot % ENTRIES)
}

/// Frames of pages.
pub(super) fn frames<'g, B: Backend>(
    access: Access<'g, B>,
    pages: &[Pfn],
) -> Result<Vec<Mfn<'g>>, PmapError> {
    let frames: Option<_> = pages.iter().map(|page| access.mfn(*page)).collect();
    frames.ok_or(PmapError::Nothing)
}
