//! The invariants of a machine at rest, checked by counting everything again.

use super::frame::{Owner, Type};
use super::host::Host;
use super::machine::Guest;
use super::number::{Pfn, RawMfn};
use super::pte::Pte;
use crate::backend::{Atomic, Backend};
use alloc::vec::Vec;
use core::sync::atomic::Ordering::Relaxed;

impl<B: Backend> Guest<B> {
    /// How many frames break an invariant, plus how often a count went wrong: 0 unless a control ran.
    ///
    /// * P2M and M2P are inverse: `p2m[m2p[mfn]] == mfn` for every frame of a PFN.
    /// * A frame's count and type count are the references found by walking every validated table,
    ///   the pins, the loaded roots, and the owner's own.
    ///
    /// To be called while no vCPU runs; O(frames + tables x 512).
    pub fn broken_invariants(&self) -> u64 {
        let host = &self.host;
        let all = || (0..host.frames()).map(RawMfn);
        let mut counts: Vec<(u64, u64)> = all().map(|_| (0, 0)).collect();
        let mut refer = |mfn: RawMfn, typed: bool| {
            if let Some((count, types)) = counts.get_mut(mfn.0 as usize) {
                *count += 1;
                *types += u64::from(typed);
            }
        };
        for mfn in all() {
            let frame = host.frame(mfn);
            if frame.allocated() {
                refer(mfn, frame.xen_heap());
            }
            if frame.pinned() {
                refer(mfn, true);
            }
            let Some(level) = frame.live_table() else {
                continue;
            };
            for index in Host::<B>::slots(level) {
                let pte = Pte(host.memory.read(mfn, index));
                let linear =
                    level > 1 && pte.mfn() == mfn && host.frame(mfn).kind() == Type::table(level);
                if pte.present() && !linear {
                    refer(pte.mfn(), level > 1 || pte.writable());
                }
            }
        }
        for vcpu in self.domain.vcpus.iter() {
            for register in vcpu.roots() {
                match register.load(Relaxed) {
                    0 => {}
                    root => refer(RawMfn(root), true),
                }
            }
        }
        let counted = |mfn: &RawMfn| {
            let frame = host.frame(*mfn);
            counts[mfn.0 as usize] == (frame.count(), frame.type_count())
        };
        let miscounted = all().filter(|mfn| !counted(mfn)).count() as u64;
        let untrue = |pfn: &Pfn| match self.domain.p2m(*pfn) {
            Some(word) => {
                let mfn = word.raw();
                host.m2p(mfn) != Some(*pfn) || host.frame(mfn).owner() != Owner::Guest
            }
            None => false,
        };
        let untrue = (0..self.domain.pages()).map(Pfn).filter(untrue).count() as u64;
        miscounted + untrue + host.miscount()
    }
}
