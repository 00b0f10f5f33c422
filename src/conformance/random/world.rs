//! The whole world: a machine, a pmap and the suspend protocol, under one scheme.
//!
//! So many vCPUs translate and use; some of them suspend in between, in every way there is. When all
//! have ended, the machine's oracle has counted what was stale, and every count and pointer of the
//! machine is checked. One schedule costs a small guest: some hundred microseconds.

use super::fine::Fine;
use super::vcpu::Actor;
use super::{Fences, Random, grain};
use crate::pmap::frame_list::FrameList;
use crate::pmap::{Kernel, PageCache, PmapError, PmapId};
use crate::scheme::Scheme;
use crate::xen::{Config, Guest, Machine, Paging, Pfn, Va, Verdicts};
use fastrand::Rng;
use shuttle::rand::RngCore;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// How large the world is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct World {
    /// vCPUs, each a thread.
    pub vcpus: usize,
    /// How many of them suspend too.
    pub suspenders: usize,
    /// What each vCPU does, in operations.
    pub ops: u32,
    /// Suspends of each suspender.
    pub suspends: u32,
    /// Of the operations on the machine's words, one in so many is a scheduling point. (Of those on
    /// the scheme's words, every one is.)
    pub grain: u32,
}

impl World {
    /// 8 vCPUs of which 2 suspend, each twice.
    pub const USUAL: Self = Self {
        vcpus: 8,
        suspenders: 2,
        ops: 4,
        suspends: 2,
        grain: 256,
    };
}

/// Where the shared address space has a page that nobody unmaps, so that its tables stay.
pub(super) const ANCHOR: Va = Va(0x40_0000);
/// Free pages that a vCPU begins with: enough for a private address space and its tables.
const CACHE: usize = 4;
/// What a scheme has several of.
const OF_SCHEME: crate::scheme::Tables = crate::scheme::Tables {
    shards: 4,
    ..crate::scheme::Tables::SMALL
};
/// Tables of one address space.
const TABLES: u64 = 4;

/// What came of one schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) verdicts: Verdicts,
    /// Operations that could not be done.
    pub(super) failed_ops: u64,
    /// Suspends that failed, but should not have, or the reverse.
    pub(super) failed_suspends: u64,
    /// Addresses that did not map what was mapped there.
    pub(super) wrong_mappings: u64,
    pub(super) lost_tables: u64,
    pub(super) broken_invariants: u64,
}

impl Found {
    /// Whether nothing was wrong.
    pub(super) fn clean(&self) -> bool {
        self.wrongs().iter().all(|(_, count)| *count == 0)
    }

    fn wrongs(&self) -> [(&'static str, u64); 11] {
        let v = &self.verdicts;
        [
            ("stale uses", v.stale_uses),
            ("wrong frames", v.wrong_frame),
            ("torn snapshots", v.torn_snapshots),
            ("faults", v.faults),
            ("raced reads", v.raced_reads),
            ("refused hypercalls", v.refused),
            ("failed operations", self.failed_ops),
            ("failed suspends", self.failed_suspends),
            ("wrong mappings", self.wrong_mappings),
            ("lost page tables", self.lost_tables),
            ("broken invariants", self.broken_invariants),
        ]
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wrongs = self.wrongs();
        let mut some = wrongs.iter().filter(|(_, count)| *count > 0);
        if let Some((what, count)) = some.next() {
            write!(f, "{what} {count}")?;
        }
        some.try_for_each(|(what, count)| write!(f, "; {what} {count}"))
    }
}

/// What the vCPUs have noticed so far. A standard mutex: held for no scheduling point.
#[derive(Debug, Default)]
pub(super) struct Notes(Mutex<Found>);

impl Notes {
    pub(super) fn note(&self, change: impl FnOnce(&mut Found)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// One schedule. To be called within an execution of shuttle's.
///
/// # Panics
/// If the guest does not boot.
pub(super) fn body<F: Fences, S: Scheme<Random<F>>>(world: &World) -> Found {
    let mut seeds = Rng::with_seed(shuttle::rand::thread_rng().next_u64());
    grain::quiet();
    grain::make_fine(false);
    let machine = Machine::<Random<F>, Fine<S>>::new(config(world)).expect("a machine");
    let Booted {
        kernel,
        shared,
        shares,
    } = boot(&machine, world).expect("a guest that boots");
    let notes = Notes::default();
    grain::loud(world.grain, seeds.u64(..));
    shuttle::thread::scope(|scope| {
        for (me, (page, cache)) in shares.into_iter().enumerate() {
            let actor = Actor {
                world,
                machine: &machine,
                kernel: &kernel,
                shared,
                me,
                page,
                cache,
                rng: seeds.fork(),
                notes: &notes,
                mapped: false,
            };
            scope.spawn(move || actor.run());
        }
    });
    grain::quiet();
    let mut found = notes.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.verdicts = machine.guest().verdicts();
    found.broken_invariants = machine.guest().broken_invariants();
    found
}

fn config(world: &World) -> Config {
    let list = FrameList::new(Pfn(0), 512).pages();
    let own = Guest::<Random>::OWN_PAGES + TABLES + list;
    let shared = TABLES + 1;
    let each = world.vcpus as u64 * (1 + CACHE as u64);
    Config {
        pages: (own + shared + each).max(32),
        vcpus: world.vcpus,
        tables: OF_SCHEME,
        paging: Paging::FourLevels,
    }
}

/// The address space that all vCPUs share, so that its lock is contended, and the page that stays
/// mapped at [`ANCHOR`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Shared {
    pub(super) space: PmapId,
    pub(super) anchor: Pfn,
}

/// A booted guest, and what its vCPUs begin with.
struct Booted<F: Fences> {
    kernel: Kernel<Random<F>>,
    shared: Shared,
    /// By vCPU: its page, and its free pages.
    shares: Vec<(Pfn, PageCache)>,
}

/// Boots the guest, makes the shared address space, and hands out the pages.
fn boot<F: Fences, S: Scheme<Random<F>>>(
    machine: &Machine<Random<F>, S>,
    world: &World,
) -> Result<Booted<F>, PmapError> {
    let vcpu = machine.vcpu().map_err(|_| PmapError::Nothing)?;
    let kernel = Kernel::boot(&vcpu, 1 + world.vcpus as u32)?;
    let mut cache = PageCache::default();
    let space = kernel.create(&vcpu, &mut cache)?;
    let anchor = kernel.take_page(&mut cache)?;
    kernel.enter(&vcpu, &mut cache, space, ANCHOR, anchor, true)?;
    let mut share = || {
        let mut own = PageCache::default();
        for _ in 0..CACHE {
            kernel.give_page(&mut own, kernel.take_page(&mut cache)?);
        }
        Ok((kernel.take_page(&mut cache)?, own))
    };
    let shares: Result<Vec<_>, PmapError> = (0..world.vcpus).map(|_| share()).collect();
    kernel.drain(&mut cache);
    Ok(Booted {
        kernel,
        shared: Shared { space, anchor },
        shares: shares?,
    })
}
