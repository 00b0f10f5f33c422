//! The alternate recursive slot: a window on the tables of a pmap that is not loaded.
//!
//! A root that names itself makes its own tables appear at fixed addresses; one that names another
//! root in its alternate slot makes *that* pmap's tables appear at others. What a kernel does with the
//! slot when it has looked is its [`Alternate`]:
//!
//! | | leaves the slot set | flushes |
//! |---|---|---|
//! | `Lazy` (one CPU) | yes: the next visit of the same pmap is free | its own TLB, when the slot named another |
//! | `LazyShot` | yes | all TLBs, then |
//! | `Eager` (several CPUs) | no | all TLBs, after each visit |
//! | `Load` (what NetBSD came to) | there is none: the other pmap is loaded | by loading |
//!
//! `Lazy` is wrong with two CPUs in one process: a CPU that finds the slot set by another one flushes
//! nothing, and may remember what the window showed before. A slot that is left set is a reference to
//! another root: it must be cleared before that goes, and before a save. So every root whose slot is
//! set is on a list from [`Kernel::map_ptes`] on, which both visit.
//!
//! **Invariant**: a slot is set and cleared under its pmap's lock (by the suspender: alone), and its
//! pmap is on the list while it is set.
//!
//! Source: NetBSD `pmap_map_ptes`, `pmap_unmap_ptes`, x86/pmap.c 1.97 and later.

use super::kernel::Kernel;
use super::work::{Act, Touch, User, Work};
use super::{PmapError, PmapId};
use crate::backend::Backend;
use crate::primitive::TicketGuard;
use crate::xen::{Access, ReadPte, Va};
use alloc::vec::Vec;

/// How another pmap's tables are reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Alternate {
    /// By their frames, as through a mapping of all memory: no slot at all.
    #[default]
    Direct,
    /// The slot is a cache: left as it is, and flushed here alone when it changes.
    Lazy,
    /// The same, flushed on all CPUs when it changes.
    LazyShot,
    /// Emptied after each visit, and flushed on all CPUs.
    Eager,
    /// The other pmap is loaded on this CPU instead, and its own recursive slot used.
    Load,
}

/// A pmap's tables, in view. The pmap is locked, and so is the one whose slot it is.
#[derive(Debug)]
#[must_use = "`unmap` it"]
pub struct Window<'k, 'g, B: Backend> {
    kernel: &'k Kernel<B>,
    access: Access<'g, B>,
    /// Whose root is loaded, and whose slot is used.
    visitor: PmapId,
    target: PmapId,
    user: User,
    slot: usize,
    work: Work,
    _locks: [Option<TicketGuard<'k, B>>; 2],
}

impl<B: Backend> Kernel<B> {
    /// Makes this kernel reach other pmaps' tables that way. To be called before it has pmaps.
    pub fn reach_by(&mut self, alternate: Alternate) {
        self.alternate = alternate;
    }

    /// How often `user` did that to an alternate slot.
    pub fn touched(&self, user: User, touch: Touch) -> u64 {
        self.users.of(user, touch)
    }

    /// Brings a pmap's tables into view (`pmap_map_ptes`): at the recursive slot if it is the one
    /// loaded on this vCPU, else as the kernel's [`Alternate`] says (`Direct` as `Eager`).
    ///
    /// Costs a read if the slot is right already; else a hypercall, and a second one to flush if it
    /// named another pmap.
    ///
    /// # Errors
    /// Xen's: since 2017 a root that others name may name none, and the reverse.
    pub fn map_ptes<'k, 'g>(
        &'k self,
        access: Access<'g, B>,
        target: PmapId,
        user: User,
    ) -> Result<Window<'k, 'g, B>, PmapError> {
        let loaded = access.loaded().ok_or(PmapError::Nothing)?;
        let visitor = self.pages.owner(loaded).ok_or(PmapError::Nothing)?;
        let alone = visitor == target || self.alternate == Alternate::Load;
        let locks = if alone {
            [Some(self.lock(target)), None]
        } else {
            // In the order of the table, whoever visits whom.
            let (first, second) = (visitor.min(target), visitor.max(target));
            [Some(self.lock(first)), Some(self.lock(second))]
        };
        let mut window = Window {
            kernel: self,
            access,
            visitor,
            target,
            user,
            slot: if alone {
                self.layout.recursive
            } else {
                self.layout.alternate
            },
            work: Work::default(),
            _locks: locks,
        };
        if visitor != target {
            window.aim()?;
        }
        Ok(window)
    }

    /// Empties the alternate slots of these pmaps, as one batch; returns the work.
    pub(super) fn empty_slots(
        &self,
        access: Access<'_, B>,
        pmaps: &[PmapId],
        user: User,
    ) -> Result<Work, PmapError> {
        let mut work = Work::default();
        let mut updates = Vec::with_capacity(pmaps.len() * self.layout.pages);
        for pmap in pmaps {
            let root = access.mfn(self.root(*pmap)).ok_or(PmapError::Nothing)?;
            updates.extend(self.aimed(access, root, self.layout.alternate, None)?);
        }
        work.did(Act::Hypercall, access.update_all(&updates)?);
        work.did(Act::Update, updates.len() as u64);
        pmaps
            .iter()
            .for_each(|pmap| self.roster.set_dirty(*pmap, false));
        self.users.count(user, Touch::Cleared, pmaps.len() as u64);
        Ok(work)
    }

    /// Empties the slots that name a pmap which is about to go, and which nobody visits any more; has
    /// all CPUs forget it ("lazy APDP handling"). The pmap is not locked: the others are, in turn.
    pub(super) fn forget_windows(
        &self,
        access: Access<'_, B>,
        pmap: PmapId,
    ) -> Result<(), PmapError> {
        if self.alternate == Alternate::Direct {
            return Ok(());
        }
        let gone = access.mfn(self.root(pmap));
        let gone = gone.and_then(|root| self.directory(access, root, 0));
        let gone = gone.ok_or(PmapError::Nothing)?;
        let names = |other| self.slot_of(access, other, self.layout.alternate)?.mfn();
        let names_it = |other| names(other).is_some_and(|named| named.raw() == gone.raw());
        let mut dirty = Vec::new();
        self.each_dirty(|other| dirty.push(other));
        for other in dirty {
            let _locked = self.lock(other);
            if names_it(other) {
                self.empty_slots(access, &[other], User::Destroy)?;
            }
        }
        // Its own slot is emptied with its root.
        self.roster.set_dirty(pmap, false);
        Ok(access.flush_all()?)
    }
}

impl<'g, B: Backend> Window<'_, 'g, B> {
    /// Makes the slot, or this vCPU, name the target.
    fn aim(&mut self) -> Result<(), PmapError> {
        let (kernel, access) = (self.kernel, self.access);
        let target = access.mfn(kernel.root(self.target));
        let target = target.ok_or(PmapError::Nothing)?;
        if kernel.alternate == Alternate::Load {
            access.load(target)?;
            self.work.did(Act::Hypercall, 1);
            self.work.did(Act::Load, 1);
            return Ok(());
        }
        let root = access.mfn(kernel.root(self.visitor));
        let root = root.ok_or(PmapError::Nothing)?;
        let old = kernel.slot_of(access, self.visitor, kernel.layout.alternate);
        let first = kernel.directory(access, target, 0);
        let (old, first) = old.zip(first).ok_or(PmapError::Nothing)?;
        self.work.did(Act::Read, 1);
        if old.mfn().is_some_and(|named| named.raw() == first.raw()) {
            kernel.users.count(self.user, Touch::Hit, 1);
            return Ok(());
        }
        let updates = kernel.aimed(access, root, kernel.layout.alternate, Some(target))?;
        if let Err(refused) = access.mmu_update(&updates) {
            kernel.users.count(self.user, Touch::Refused, 1);
            if refused.done > 0 {
                kernel.empty_slots(access, &[self.visitor], self.user)?;
            }
            return Err(refused.into());
        }
        self.work.did(Act::Hypercall, 1);
        self.work.did(Act::Update, updates.len() as u64);
        kernel.roster.set_dirty(self.visitor, true);
        if !old.pte().present() {
            kernel.users.count(self.user, Touch::Set, 1);
            return Ok(());
        }
        kernel.users.count(self.user, Touch::Replaced, 1);
        self.flush(kernel.alternate == Alternate::Lazy)
    }

    fn flush(&mut self, here: bool) -> Result<(), PmapError> {
        self.work.did(Act::Hypercall, 1);
        if here {
            self.work.did(Act::Flush, 1);
            return Ok(self.access.flush_local()?);
        }
        self.work.did(Act::Shootdown, 1);
        Ok(self.access.flush_all()?)
    }

    /// The L1 entry of an address, as the window shows it; `None` where there is no table.
    pub fn entry(&mut self, va: Va) -> Option<ReadPte<'g>> {
        self.work.did(Act::Read, 1);
        let at = self.kernel.layout.entry_at(self.slot, va);
        self.access.peek_pte(at).ok()
    }

    /// An entry of the directory, likewise: through the target's own recursive slots.
    pub fn root_entry(&mut self, index: usize) -> Option<ReadPte<'g>> {
        self.work.did(Act::Read, 1);
        let at = self.kernel.layout.directory_entry_at(self.slot, index);
        self.access.peek_pte(at).ok()
    }

    /// Lets the view go (`pmap_unmap_ptes`); returns what it has cost from the beginning.
    ///
    /// # Errors
    /// Xen's.
    pub fn unmap(mut self) -> Result<Work, PmapError> {
        let (kernel, access) = (self.kernel, self.access);
        if self.visitor != self.target {
            match kernel.alternate {
                Alternate::Lazy | Alternate::LazyShot => {}
                Alternate::Direct | Alternate::Eager => {
                    self.work += kernel.empty_slots(access, &[self.visitor], self.user)?;
                    self.flush(false)?;
                }
                // NetBSD puts this off until the CPU goes back to its process.
                Alternate::Load => {
                    let root = access.mfn(kernel.root(self.visitor));
                    access.load(root.ok_or(PmapError::Nothing)?)?;
                    self.work.did(Act::Hypercall, 1);
                    self.work.did(Act::Load, 1);
                }
            }
        }
        Ok(self.work)
    }
}
