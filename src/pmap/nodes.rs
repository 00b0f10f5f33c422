//! The nodes of pages' lists of mappings, in one table, linked by index; and where free ones are.
//!
//! The first ones are the pages' own, one each. The others are a pool, under a lock, of which each vCPU
//! keeps a few in a cache of its own: so that lock is rarely seen.

use super::pv::PvEntry;
use super::{PmapError, PmapId};
use crate::backend::{Atomic, Backend};
use crate::primitive::Ticket;
use crate::xen::{Pfn, Va};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::Ordering::Relaxed;

/// No node: the end of a list. No pmap: the node is not in use.
const NONE: u32 = u32::MAX;
/// Nodes that a vCPU takes at a time.
const BATCH: usize = 8;
/// Nodes of the pool for each page of the guest. The traces need one for every second page.
const PER_PAGE: usize = 4;

/// A mapping, or none; and what comes after it. Written under the lock of the list it is on.
#[derive(Debug)]
struct Node<B: Backend> {
    next: B::U32,
    pmap: B::U32,
    page: B::U64,
}

/// A node, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeId(u32);

/// The nodes.
#[derive(Debug)]
pub(super) struct Nodes<B: Backend> {
    nodes: Box<[Node<B>]>,
    /// Guards `free`, and the links of nodes in the pool.
    pool: Ticket<B>,
    free: B::U32,
}

/// A vCPU's own free nodes.
#[derive(Debug, Default)]
pub(super) struct PvCache(Vec<NodeId>);

impl<B: Backend> Nodes<B> {
    /// One for each page, not in use; and a pool, from which each vCPU can fill its cache.
    pub(super) fn new(pages: usize, vcpus: usize) -> Self {
        let count = pages * (1 + PER_PAGE) + 2 * BATCH * vcpus;
        let next = |at: usize| match at + 1 {
            after if at >= pages && after < count => after as u32,
            _ => NONE,
        };
        let node = |at| Node {
            next: B::U32::new(next(at)),
            pmap: B::U32::new(NONE),
            page: B::U64::new(0),
        };
        Self {
            nodes: (0..count).map(node).collect(),
            pool: Ticket::default(),
            free: B::U32::new(pages as u32),
        }
    }

    /// Makes sure that a cache has `count` nodes.
    pub(super) fn reserve(&self, cache: &mut PvCache, count: usize) -> Result<(), PmapError> {
        if cache.0.len() < count {
            self.refill(cache, count + BATCH);
        }
        if cache.0.len() < count {
            return Err(PmapError::NoPvs);
        }
        Ok(())
    }

    #[cold]
    fn refill(&self, cache: &mut PvCache, count: usize) {
        let _locked = self.pool.lock();
        let mut first = self.free.load(Relaxed);
        while cache.0.len() < count && first != NONE {
            cache.0.push(NodeId(first));
            first = self.nodes[first as usize].next.load(Relaxed);
        }
        self.free.store(first, Relaxed);
    }

    /// Gives all but `keep` of a cache's nodes back to the pool.
    #[cold]
    pub(super) fn spill(&self, cache: &mut PvCache, keep: usize) {
        let _locked = self.pool.lock();
        for node in cache.0.drain(keep.min(cache.0.len())..) {
            let first = self.free.load(Relaxed);
            self.node(node).next.store(first, Relaxed);
            self.free.store(node.0, Relaxed);
        }
    }

    /// Takes a node from a cache that has one.
    pub(super) fn take(&self, cache: &mut PvCache) -> Option<NodeId> {
        cache.0.pop()
    }

    /// Gives a node to a cache, which gives some back when it has too many.
    pub(super) fn give(&self, cache: &mut PvCache, node: NodeId) {
        cache.0.push(node);
        if cache.0.len() > 4 * BATCH {
            self.spill(cache, BATCH);
        }
    }

    fn node(&self, node: NodeId) -> &Node<B> {
        &self.nodes[node.0 as usize]
    }

    /// A page's own.
    pub(super) fn own(&self, page: Pfn) -> NodeId {
        NodeId(page.0 as u32)
    }

    /// The node after one.
    pub(super) fn next(&self, node: NodeId) -> Option<NodeId> {
        let next = self.node(node).next.load(Relaxed);
        (next != NONE).then_some(NodeId(next))
    }

    /// Puts `node` after `before`.
    pub(super) fn link(&self, before: NodeId, node: NodeId) {
        let next = self.node(before).next.load(Relaxed);
        self.node(node).next.store(next, Relaxed);
        self.node(before).next.store(node.0, Relaxed);
    }

    /// Takes `node`, which is after `before`, away.
    pub(super) fn unlink(&self, before: NodeId, node: NodeId) {
        let next = self.node(node).next.load(Relaxed);
        self.node(before).next.store(next, Relaxed);
    }

    /// The mapping in a node.
    pub(super) fn entry(&self, node: NodeId) -> Option<PvEntry> {
        let node = self.node(node);
        let pmap = node.pmap.load(Relaxed);
        (pmap != NONE).then(|| PvEntry {
            pmap: PmapId(pmap),
            va: Va::of_page(node.page.load(Relaxed)),
        })
    }

    /// Puts a mapping into a node, or none.
    pub(super) fn set(&self, node: NodeId, entry: Option<PvEntry>) {
        let node = self.node(node);
        let pmap = entry.map_or(NONE, |entry| entry.pmap.0);
        let page = entry.map_or(0, |entry| entry.va.page());
        node.pmap.store(pmap, Relaxed);
        node.page.store(page, Relaxed);
    }
}
