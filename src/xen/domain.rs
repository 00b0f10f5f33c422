//! The guest's own state: P2M, start_info, vCPUs.
//!
//! `incarnation` counts suspends twice over, as a sequence: odd while a restore rewrites the world.
//! The restoring vCPU alone writes it, and the P2M; everybody reads them.

use super::events::Events;
use super::guest::Guest;
use super::host::Host;
use super::invariants::Linked;
use super::number::{INVALID, P2mWord, Pfn, RawMfn, Stamp};
use super::oracle::Tally;
use super::registers::Registers;
use super::stream::State;
use super::tlb::Tlb;
use super::watch::Watch;
use crate::backend::{Atomic, Backend};
use crate::primitive::Slots;
use crate::scheme::Translate;
use crate::scheme::percpu_asym::{PerCpuAsym, PerCpuAsymReader};
use alloc::boxed::Box;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// What Xen and the tools know of the page that they share with the guest from its first instruction on.
#[derive(Debug)]
pub(super) struct StartInfo<B: Backend> {
    /// Where it lies.
    pub(super) pfn: Pfn,
    /// The machine address of shared_info, which has no PFN.
    pub(super) shared_info: B::U64,
}

/// What a vCPU is to Xen.
#[derive(Debug)]
pub struct VcpuState<B: Backend> {
    /// The loaded root, an MFN; 0 before the first.
    pub(super) cr3: B::U64,
    /// The root of user mode, likewise: a 64-bit guest has two.
    pub(super) user: B::U64,
    pub(super) registers: Registers<B>,
    pub(super) tally: Tally<B>,
    pub(super) tlb: Tlb<B>,
    pub(super) watch: Watch<B>,
}

impl<B: Backend> VcpuState<B> {
    /// The registers that hold a root, each with a type reference, or 0.
    pub(super) fn roots(&self) -> [&B::U64; 2] {
        [&self.cr3, &self.user]
    }
}

/// Frames that a guest may have beyond its pages.
const HEADROOM: u64 = 256;

/// One paravirtualised guest.
#[derive(Debug)]
pub struct Domain<B: Backend> {
    p2m: Box<[B::U64]>,
    /// Twice the suspends survived; odd during a restore.
    incarnation: B::U64,
    /// By number: what the guest asked for by `vm_assist`.
    pub(super) assists: B::U64,
    /// Not 0 if the vCPUs have TLBs.
    pub(super) tlbs: B::U64,
    pub(super) start_info: StartInfo<B>,
    pub(super) events: Events<B>,
    pub(super) vcpus: Slots<B, VcpuState<B>>,
    pub(super) linked: Linked<B>,
    /// Of a guest that came in a stream: what the tools carry for it, and nobody here looks into.
    pub(super) carried: Option<State<'static>>,
    /// What pauses the vCPUs: each is a reader while it is in Xen, and the one that suspends waits
    /// until the others are out. The same for every scheme under test, and without a fence, so it
    /// hides none.
    pub(super) paused: PerCpuAsym<B>,
}

impl<B: Backend> Domain<B> {
    pub(super) fn new(
        pages: usize,
        paused: PerCpuAsym<B>,
        vcpus: usize,
        start_info: StartInfo<B>,
    ) -> Self {
        Self {
            p2m: (0..pages).map(|_| B::U64::new(INVALID)).collect(),
            incarnation: B::U64::new(0),
            assists: B::U64::new(0),
            tlbs: B::U64::new(0),
            start_info,
            events: Events::new(),
            carried: None,
            linked: Linked::new(),
            vcpus: Slots::new(vcpus, || VcpuState {
                cr3: B::U64::new(0),
                user: B::U64::new(0),
                registers: Registers::new(),
                tally: Tally::new(),
                tlb: Tlb::new(),
                watch: Watch::new(),
            }),
            paused,
        }
    }

    /// How many pages it has.
    pub fn pages(&self) -> u64 {
        self.p2m.len() as u64
    }

    /// How many vCPUs it may have online.
    pub fn max_vcpus(&self) -> usize {
        self.vcpus.iter().count()
    }

    /// How many frames it may have.
    pub fn most_frames(&self) -> u64 {
        self.pages() + HEADROOM
    }

    /// Suspends survived.
    pub fn suspends(&self) -> u64 {
        self.sequence() / 2
    }

    #[inline]
    pub(super) fn sequence(&self) -> u64 {
        // ORDERING: Acquire pairs with the Release in `end_restore`: a PTE read after an even value
        // is no older than that restore. A read that a restore overtakes sees the value change.
        self.incarnation.load(Acquire)
    }

    /// The stamp of this incarnation.
    #[inline]
    pub(super) fn stamp(&self) -> Stamp {
        Stamp::of(self.sequence() / 2)
    }

    /// The P2M's word for a PFN, if it has a frame.
    #[inline]
    pub(super) fn p2m(&self, pfn: Pfn) -> Option<P2mWord> {
        let word = P2mWord(self.p2m.get(pfn.0 as usize)?.load(Relaxed));
        word.valid().then_some(word)
    }

    pub(super) fn set_p2m(&self, pfn: Pfn, mfn: RawMfn) {
        let next = Stamp::of(self.sequence().div_ceil(2));
        self.p2m[pfn.0 as usize].store(P2mWord::new(mfn, next).0, Relaxed);
    }

    /// Ballooned out: no frame.
    pub(super) fn clear_p2m(&self, pfn: Pfn) {
        self.p2m[pfn.0 as usize].store(INVALID, Relaxed);
    }

    pub(super) fn begin_restore(&self) {
        let now = self.incarnation.load(Relaxed);
        self.incarnation.store(now + 1, Relaxed);
        // ORDERING: Release pairs with the Acquire fence of a PTE read: who sees a rewritten entry
        // sees the odd sequence before it.
        B::fence(Release);
    }

    pub(super) fn end_restore(&self) {
        let now = self.incarnation.load(Relaxed);
        // ORDERING: Release pairs with the Acquire in `sequence`; see there.
        self.incarnation.store(now + 1, Release);
    }
}

/// A vCPU as the machine knows it: whoever runs on it.
#[derive(Debug)]
pub struct Cpu<'m, B: Backend> {
    pub(super) guest: &'m Guest<B>,
    pub(super) id: usize,
    pub(super) state: &'m VcpuState<B>,
    pub(super) tally: &'m Tally<B>,
    /// A hold while it is in Xen.
    pub(super) runs: PerCpuAsymReader<'m, B>,
}

impl<'m, B: Backend> Cpu<'m, B> {
    #[inline]
    pub(super) fn host(&self) -> &'m Host<B> {
        &self.guest.host
    }

    #[inline]
    pub(super) fn domain(&self) -> &'m Domain<B> {
        &self.guest.domain
    }
}

impl<B: Backend> Drop for Cpu<'_, B> {
    fn drop(&mut self) {
        // A vCPU that goes offline lets its roots go: in Xen, so not in the middle of a restore.
        let _in_xen = self.runs.hold();
        for register in self.state.roots() {
            let root = register.swap(0, Relaxed);
            if root != 0 {
                self.host().put_table(RawMfn(root));
            }
        }
        self.domain().vcpus.release(self.id);
    }
}
