//! Which pmaps there are: the lists of them, all under one lock (`pmaps_lock`).

use super::PmapId;
use super::list::{Links, List};
use crate::backend::{Atomic, Backend};
use crate::primitive::Ticket;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::Ordering::Relaxed;

/// Where a pmap is on the lists; all of it is accessed under the roster's lock.
#[derive(Debug)]
struct Place<B: Backend> {
    /// On that of live ones, of free ones, or of the vCPUs' own.
    links: Links<B>,
    /// On that of those whose alternate slot is in use.
    dirty_links: Links<B>,
    /// Not 0 if it is on that list.
    dirty: B::U32,
}

/// The lists.
#[derive(Debug)]
pub(super) struct Roster<B: Backend> {
    places: Box<[Place<B>]>,
    lock: Ticket<B>,
    live: List<B>,
    free: List<B>,
    dirty: List<B>,
    /// Roots that are a vCPU's own, and no process's.
    vcpus: List<B>,
}

impl<B: Backend> Roster<B> {
    /// Of so many pmaps, all free, and one more that is on no list but perhaps the dirty: the kernel's own.
    pub(super) fn new(pmaps: u32) -> Self {
        let roster = Self {
            places: (0..=pmaps).map(|_| Place::default()).collect(),
            lock: Ticket::default(),
            live: List::default(),
            free: List::default(),
            dirty: List::default(),
            vcpus: List::default(),
        };
        for id in (0..pmaps).rev() {
            roster.free.push(id, |id| roster.links(id));
        }
        roster
    }

    fn links(&self, id: u32) -> &Links<B> {
        &self.places[id as usize].links
    }

    fn dirty_links(&self, id: u32) -> &Links<B> {
        &self.places[id as usize].dirty_links
    }

    /// Takes a pmap off the free list; it is on no list until [`publish`](Self::publish).
    pub(super) fn claim(&self) -> Option<PmapId> {
        let _locked = self.lock.lock();
        let id = self.free.first()?;
        self.free.unlink(id, |id| self.links(id));
        Some(PmapId(id))
    }

    /// Gives a pmap's place back.
    pub(super) fn unclaim(&self, id: PmapId) {
        let _locked = self.lock.lock();
        self.free.push(id.0, |id| self.links(id));
    }

    /// Puts a pmap on the list of live ones.
    pub(super) fn publish(&self, id: PmapId) {
        let _locked = self.lock.lock();
        self.live.push(id.0, |id| self.links(id));
    }

    /// Takes a pmap off the list of live ones.
    pub(super) fn retire(&self, id: PmapId) {
        let _locked = self.lock.lock();
        self.live.unlink(id.0, |id| self.links(id));
    }

    /// Puts a pmap on the list of those whose alternate slot is in use, or takes it off.
    pub(super) fn set_dirty(&self, id: PmapId, dirty: bool) {
        let _locked = self.lock.lock();
        let was = self.places[id.0 as usize].dirty.swap(dirty.into(), Relaxed) != 0;
        match (was, dirty) {
            (false, true) => self.dirty.push(id.0, |id| self.dirty_links(id)),
            (true, false) => self.dirty.unlink(id.0, |id| self.dirty_links(id)),
            _ => {}
        }
    }

    /// Takes every pmap off that list: their slots were emptied.
    pub(super) fn drain_dirty(&self) {
        let _locked = self.lock.lock();
        while let Some(id) = self.dirty.first() {
            self.dirty.unlink(id, |id| self.dirty_links(id));
            self.places[id as usize].dirty.store(0, Relaxed);
        }
    }

    /// Puts a pmap on the list of the vCPUs' own, for good.
    pub(super) fn keep_unlisted(&self, id: PmapId) {
        let _locked = self.lock.lock();
        self.vcpus.push(id.0, |id| self.links(id));
    }

    /// Calls `visit` with every live pmap, the lock held.
    pub(super) fn each_live(&self, visit: impl FnMut(PmapId)) {
        let _locked = self.lock.lock();
        self.live
            .iter(|id| self.links(id))
            .map(PmapId)
            .for_each(visit);
    }

    /// Calls `visit` with every pmap whose alternate slot is in use, the lock held.
    pub(super) fn each_dirty(&self, visit: impl FnMut(PmapId)) {
        let _locked = self.lock.lock();
        self.dirty
            .iter(|id| self.dirty_links(id))
            .map(PmapId)
            .for_each(visit);
    }

    /// The vCPUs' own.
    pub(super) fn unlisted(&self) -> Vec<PmapId> {
        let _locked = self.lock.lock();
        self.vcpus.iter(|id| self.links(id)).map(PmapId).collect()
    }
}

impl<B: Backend> Default for Place<B> {
    fn default() -> Self {
        Self {
            links: Links::default(),
            dirty_links: Links::default(),
            dirty: B::U32::new(0),
        }
    }
}
