//! Pmaps come and go: create, fork, destroy.

use super::kernel::Kernel;
use super::pages::PageCache;
use super::pv::PvEntry;
use super::{PmapError, PmapId};
use crate::backend::Backend;
use crate::xen::{Access, Mmu, MmuUpdate, Pfn, Pte, Va};
use alloc::vec::Vec;

impl<B: Backend> Kernel<B> {
    /// An empty address space (`pmap_create`): a pinned root with its recursive and its kernel slot, from
    /// the cache of such roots if that has one. One hold over all of it; two hypercalls if the root must
    /// be made, none if not ([`Cached::NotPresent`](super::Cached): one).
    ///
    /// # Errors
    /// [`PmapError::NoPmaps`], [`PmapError::NoPages`]; Xen's.
    pub fn create(&self, mmu: &impl Mmu<B>, cache: &mut PageCache) -> Result<PmapId, PmapError> {
        let hold = mmu.hold();
        let pmap = self.make(mmu, hold.access(), cache)?;
        self.roster.publish(pmap);
        Ok(pmap)
    }

    /// A pmap of a vCPU's own, from which it looks at others' tables: on no list of live ones, and
    /// there for good. So no process's root ever has its alternate slot set.
    ///
    /// Source: NetBSD's per-CPU root, `ci_kpm_pdir`.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_unlisted(
        &self,
        mmu: &impl Mmu<B>,
        cache: &mut PageCache,
    ) -> Result<PmapId, PmapError> {
        let hold = mmu.hold();
        let pmap = self.make(mmu, hold.access(), cache)?;
        self.roster.keep_unlisted(pmap);
        Ok(pmap)
    }

    fn make(
        &self,
        mmu: &impl Mmu<B>,
        access: Access<'_, B>,
        cache: &mut PageCache,
    ) -> Result<PmapId, PmapError> {
        let pmap = self.roster.claim().ok_or(PmapError::NoPmaps)?;
        match self.take_root(mmu, access, cache) {
            Ok(root) => self.set_root(pmap, root),
            Err(error) => {
                self.roster.unclaim(pmap);
                return Err(error);
            }
        }
        Ok(pmap)
    }

    /// Copies an address space (`fork`): both sides map the same pages, read-only, so that the first
    /// to write takes a copy. One hold for each L1 table.
    ///
    /// # Errors
    /// Those of [`create`](Self::create); a child that is made in part is destroyed again.
    pub fn fork(
        &self,
        mmu: &impl Mmu<B>,
        cache: &mut PageCache,
        parent: PmapId,
    ) -> Result<PmapId, PmapError> {
        let child = self.create(mmu, cache)?;
        let tables = self.l1_tables(mmu, parent);
        let copied = tables
            .iter()
            .try_for_each(|base| self.copy_table(mmu, cache, parent, child, *base));
        match copied {
            Ok(()) => Ok(child),
            Err(error) => {
                // The first error is the one to tell.
                let _ = self.destroy(mmu, cache, child);
                Err(error)
            }
        }
    }

    /// The first addresses of the L1 tables of a pmap.
    fn l1_tables(&self, mmu: &impl Mmu<B>, pmap: PmapId) -> Vec<Va> {
        let hold = mmu.hold();
        let access = hold.access();
        let _locked = self.lock(pmap);
        let mut tables = Vec::new();
        self.each_table(access, pmap, |level, va, _| {
            if level == 1 {
                tables.push(va);
            }
        });
        tables
    }

    /// Write-protects the pages of one L1 table, and maps them in the child.
    fn copy_table(
        &self,
        mmu: &impl Mmu<B>,
        cache: &mut PageCache,
        parent: PmapId,
        child: PmapId,
        base: Va,
    ) -> Result<(), PmapError> {
        let hold = mmu.hold();
        let access = hold.access();
        // The child is nobody else's yet: taking the parent's lock first cannot deadlock.
        let _parent = self.lock(parent);
        let _child = self.lock(child);
        let Some(from) = self.table(access, parent, base, 1) else {
            return Ok(());
        };
        let into = self.slot_or_build(access, cache, child, base)?.table;
        let mut updates = Vec::new();
        let mut copied = Vec::new();
        access.each_present(from, |index, entry| {
            let shared = entry.with_flags(0, Pte::RW);
            if entry.pte().writable() {
                updates.push(MmuUpdate::normal(from.entry(index), shared));
            }
            updates.push(MmuUpdate::normal(into.entry(index), shared));
            copied.push((base.page() + index as u64, entry));
        });
        if updates.is_empty() {
            return Ok(());
        }
        self.pvs.nodes.reserve(&mut cache.pvs, copied.len())?;
        mmu.preemption_point();
        access.mmu_update(&updates)?;
        for (page, entry) in &copied {
            if let Some(shared) = access.page_of(*entry) {
                let at = PvEntry::new(child, Va::of_page(*page));
                self.pvs.insert(&mut cache.pvs, shared, at);
            }
        }
        if let Some(table) = access.pfn(into) {
            self.pages.entries_add(table, copied.len() as i32);
        }
        Ok(())
    }

    /// Ends an address space (`pmap_destroy`): its tables are given back, its root to the cache of roots;
    /// its pages are their owner's affair. If this vCPU has it loaded, it loads the kernel's first; no
    /// other may have.
    ///
    /// # Errors
    /// Xen's; the pmap is gone all the same, and what Xen still holds is lost.
    pub fn destroy(
        &self,
        mmu: &impl Mmu<B>,
        cache: &mut PageCache,
        pmap: PmapId,
    ) -> Result<(), PmapError> {
        self.roster.retire(pmap);
        let root = self.root(pmap);
        let hold = mmu.hold();
        let access = hold.access();
        let forgotten = self.forget_windows(access, pmap);
        let locked = self.lock(pmap);
        let ended = forgotten.and_then(|()| self.unmake(mmu, cache, access, pmap, root));
        drop(locked);
        self.roster.unclaim(pmap);
        for table in ended? {
            self.pages.give(cache, table);
        }
        self.pages.own(root, None);
        self.pdp_cache.give(cache, root);
        Ok(())
    }

    /// Empties a root but for what its constructor set; returns the PFNs of the tables that were below
    /// it, zeroed: who takes a page next finds nothing in it.
    fn unmake(
        &self,
        mmu: &impl Mmu<B>,
        cache: &mut PageCache,
        access: Access<'_, B>,
        pmap: PmapId,
        root: Pfn,
    ) -> Result<Vec<Pfn>, PmapError> {
        if access.loaded() == Some(root) {
            self.load_kernel_in(access)?;
        }
        let mut tables = Vec::new();
        self.each_table(access, pmap, |level, base, pfn| {
            if level == 1 {
                Self::each_entry(access, base, pfn, &mut |va, entry| {
                    self.unlist(access, cache, PvEntry::new(pmap, va), entry);
                });
            }
            tables.push(pfn);
        });
        let mfn = access.mfn(root).ok_or(PmapError::Nothing)?;
        let updates = self.emptied(access, mfn);
        mmu.preemption_point();
        access.mmu_update(&updates)?;
        self.pages.entries_reset(root);
        tables.iter().for_each(|table| access.zero(*table));
        Ok(tables)
    }
}
