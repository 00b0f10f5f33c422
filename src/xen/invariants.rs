//! The invariants of a machine, I1 to I7: what breaks each, where, and how it is said.
//!
//! | | what must hold | who looks |
//! |---|---|---|
//! | I1 | no MFN is used in another incarnation than its own | every hypercall ([`oracle`](super::oracle)) |
//! | I2 | at the suspend hypercall: no hold is live, no queue has an update, no pinned table names another of its level | that hypercall |
//! | I3 | M2P and P2M are inverse; counts and types are the references found | each restore; [`Guest::broken`] |
//! | I4 | no hold outlives its vCPU's work, or lies deeper than Solaris's eight bits count | `post_suspend`; [`Guest::broken`]; a shard is chosen once a reader, so it cannot change |
//! | I5 | the suspender may take the readers' ways | `pre_suspend`, which does; the model `translates` |
//! | I6 | a suspend completes, and then every reader gets on | the models, and the measured progress (`results/progress.csv`) |
//! | I7 | after a restore: start_info's rings and the roots are MFNs of this guest, a P2M frame list names its frames, recursive slots name their roots | `post_suspend`; [`Guest::broken`]; `Kernel::broken` for the last two |
//!
//! A restore and `post_suspend` look in builds with debug assertions, and panic: the one since nothing that a
//! guest does may break I3, the other under a scheme that claims to hold. Otherwise what is broken is counted.
//!
//! Holds are counted for I2 and I4 where they are [`Watched`](super::Watched). What a control breaks is
//! counted, and the control goes on.

use super::broken::{Broken, DEEPEST};
use super::domain::VcpuState;
use super::frame::Type;
use super::guest::Guest;
use super::number::{ENTRIES, Pfn, RawMfn};
use super::oracle::Verdicts;
use super::pte::Pte;
use super::shared_info::P2M_FRAME_LIST;
use crate::backend::{Atomic, Backend};
use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::Ordering::Relaxed;

impl<B: Backend> Guest<B> {
    /// What is broken, and where; empty unless a control ran, or a step was left out.
    ///
    /// To be called while no vCPU runs; O(frames + tables x 512).
    pub fn broken(&self) -> Vec<Broken> {
        let mut broken = Vec::new();
        self.in_hand(&mut broken);
        broken.extend(self.domain.linked.said());
        self.recounted(&mut broken);
        self.restored(&mut broken);
        broken
    }

    /// I4, and I7 but for what only the kernel knows: what `post_suspend` looks at.
    pub(crate) fn at_rest(&self) -> Vec<Broken> {
        let mut broken = Vec::new();
        self.in_hand(&mut broken);
        broken.retain(|broken| broken.invariant() == 4);
        self.restored(&mut broken);
        broken
    }

    /// I3, in a build with debug assertions.
    pub(super) fn look_after_restore(&self) {
        if !cfg!(debug_assertions) {
            return;
        }
        let mut broken = Vec::new();
        self.recounted(&mut broken);
        // Writes that a control's stray stores left no room for are counted, and no fault of the restore's.
        broken.retain(|broken| !matches!(broken, Broken::LostCount { .. }));
        if let Some(first) = broken.first() {
            panic!("after a restore: {first}");
        }
    }

    /// What is counted by vCPU.
    fn in_hand(&self, broken: &mut Vec<Broken>) {
        for (vcpu, state) in self.domain.vcpus.iter().enumerate() {
            let of_it = counted(state).into_iter();
            let wrong = of_it.filter(|(count, most, _)| count > most);
            broken.extend(wrong.map(|(count, _, say)| say(vcpu, count)));
        }
    }

    /// How often an invariant is broken, all of them counted together.
    pub fn broken_invariants(&self) -> u64 {
        self.broken().into_iter().map(Broken::times).sum()
    }

    /// I7, but for what only the kernel knows.
    fn restored(&self, broken: &mut Vec<Broken>) {
        let own = |mfn: RawMfn| self.resolve(mfn).is_some();
        for (name, found) in ["store", "console"].into_iter().zip(self.rings()) {
            if !own(RawMfn(found)) {
                broken.push(Broken::Ring { name, found });
            }
        }
        for (vcpu, state) in self.domain.vcpus.iter().enumerate() {
            let roots = state.roots().map(|root| RawMfn(root.load(Relaxed)));
            let lost = roots.into_iter().filter(|mfn| mfn.0 != 0 && !own(*mfn));
            broken.extend(lost.map(|mfn| Broken::Root { vcpu, mfn }));
        }
        let shared_info = self.shared_info_frame();
        self.named_frames(shared_info, P2M_FRAME_LIST..P2M_FRAME_LIST + 1, 2, broken);
    }

    /// I7: that the frames which a page names in these words are the guest's, and so are those that they
    /// name, `levels` deep. A word that is 0 names none.
    fn named_frames(
        &self,
        page: RawMfn,
        words: Range<usize>,
        levels: u32,
        broken: &mut Vec<Broken>,
    ) {
        for index in words {
            let mfn = RawMfn(self.host.memory.read(page, index));
            if mfn.0 == 0 {
                continue;
            }
            if self.resolve(mfn).is_none() {
                broken.push(Broken::FrameList { mfn });
            } else if levels > 0 {
                self.named_frames(mfn, 0..ENTRIES, levels - 1, broken);
            }
        }
    }

    /// I2: looks around at the suspend hypercall, with nobody in Xen; counts what should not be.
    pub(super) fn look_around(&self) {
        for vcpu in self.domain.vcpus.iter() {
            vcpu.watch.suspend();
        }
        for pfn in (0..self.domain.pages()).map(Pfn) {
            let Some(table) = self.domain.p2m(pfn).map(|word| word.raw()) else {
                continue;
            };
            let frame = self.host.frame(table);
            // A PAE root's last L2 stays because the root does.
            let stays = frame.pinned() || frame.kind() == Type::XenL2;
            let Some(level @ 2..) = frame.live_table().filter(|_| stays) else {
                continue;
            };
            for index in self.host.slots(frame.kind()) {
                let pte = Pte(self.host.memory.read(table, index));
                let target = pte.mfn();
                let same = || self.host.frame(target).live_table() == Some(level);
                if pte.present() && target != table && same() {
                    self.domain.linked.count(pfn, index);
                }
            }
        }
    }
}

/// How a count of a vCPU's is said.
type Say = fn(usize, u64) -> Broken;

/// What is counted by vCPU: how often, the most that may be, and how it is said.
fn counted<B: Backend>(vcpu: &VcpuState<B>) -> [(u64, u64, Say); 6] {
    let mut verdicts = Verdicts::default();
    vcpu.tally.add_to(&mut verdicts);
    let watch = &vcpu.watch;
    let read = |count: &B::U64| count.load(Relaxed);
    [
        (verdicts.stale_uses, 0, |vcpu, times| Broken::StaleUse {
            vcpu,
            times,
        }),
        (verdicts.wrong_frame, 0, |vcpu, times| Broken::WrongFrame {
            vcpu,
            times,
        }),
        (read(&watch.held_at_suspend), 0, |vcpu, times| {
            Broken::HeldAtSuspend { vcpu, times }
        }),
        (read(&watch.queued_at_suspend), 0, |vcpu, updates| {
            Broken::QueuedAtSuspend { vcpu, updates }
        }),
        (read(&watch.depth), 0, |vcpu, depth| Broken::Deep {
            vcpu,
            depth,
        }),
        (read(&watch.deepest), DEEPEST, |vcpu, depth| {
            Broken::TooDeep { vcpu, depth }
        }),
    ]
}

/// Entries of pinned tables that named another table of their level at a suspend hypercall.
#[derive(Debug)]
pub(super) struct Linked<B: Backend> {
    entries: B::U64,
    /// The last: its table's PFN times 512, and its index.
    last: B::U64,
}

impl<B: Backend> Linked<B> {
    pub(super) fn new() -> Self {
        Self {
            entries: B::U64::new(0),
            last: B::U64::new(0),
        }
    }

    fn count(&self, table: Pfn, index: usize) {
        let last = table.0 * ENTRIES as u64 + index as u64;
        self.last.store(last, Relaxed);
        self.entries.store(self.entries.load(Relaxed) + 1, Relaxed);
    }

    fn said(&self) -> Option<Broken> {
        let last = self.last.load(Relaxed);
        match self.entries.load(Relaxed) {
            0 => None,
            entries => Some(Broken::LinkedAtSuspend {
                entries,
                table: Pfn(last / ENTRIES as u64),
                index: last as usize % ENTRIES,
            }),
        }
    }
}
