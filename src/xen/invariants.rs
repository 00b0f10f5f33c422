//! The invariants of a machine at rest, checked by counting everything again.

use super::frame::{Owner, Type};
use super::guest::Guest;
use super::host::Host;
use super::number::{Pfn, RawMfn};
use super::pte::Pte;
use crate::backend::{Atomic, Backend};
use alloc::vec::Vec;
use core::sync::atomic::Ordering::Relaxed;

/// What should be recorded of a frame.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Recount {
    count: u64,
    types: u64,
    linear: i32,
}

impl<B: Backend> Guest<B> {
    /// How many frames break an invariant, plus how often a count went wrong: 0 unless a control ran.
    ///
    /// * P2M and M2P are inverse: `p2m[m2p[mfn]] == mfn` for every frame of a PFN.
    /// * A frame's count and type count are the references found by walking every validated table,
    ///   the pins, the loaded roots, and the owner's own; its linear count, the linear entries found.
    /// * An entry of a validated table names a frame of the type that it needs.
    ///
    /// To be called while no vCPU runs; O(frames + tables x 512).
    pub fn broken_invariants(&self) -> u64 {
        let host = &self.host;
        let all = || (0..host.frames()).map(RawMfn);
        let mut recounts: Vec<Recount> = all().map(|_| Recount::default()).collect();
        let mut mistyped = 0;
        for mfn in all() {
            mistyped += self.recount(mfn, &mut recounts);
        }
        for register in self.domain.vcpus.iter().flat_map(|vcpu| vcpu.roots()) {
            match register.load(Relaxed) {
                0 => {}
                root => refer(&mut recounts, RawMfn(root), true),
            }
        }
        let recorded = |mfn: RawMfn| {
            let frame = host.frame(mfn);
            Recount {
                count: frame.count(),
                types: frame.type_count(),
                linear: host.linear[mfn.0 as usize].load(Relaxed) as i32,
            }
        };
        let miscounted = all()
            .filter(|mfn| recounts[mfn.0 as usize] != recorded(*mfn))
            .count() as u64;
        let untrue = |pfn: &Pfn| match self.domain.p2m(*pfn) {
            Some(word) => {
                let mfn = word.raw();
                host.m2p(mfn) != Some(*pfn) || host.frame(mfn).owner() != Owner::Guest
            }
            None => false,
        };
        let untrue = (0..self.domain.pages()).map(Pfn).filter(untrue).count() as u64;
        miscounted + mistyped + untrue + host.miscount()
    }

    /// Adds the references that a frame gives; returns how many of its entries name a wrong type.
    fn recount(&self, mfn: RawMfn, recounts: &mut [Recount]) -> u64 {
        let host = &self.host;
        let frame = host.frame(mfn);
        if frame.allocated() {
            refer(recounts, mfn, frame.xen_heap());
        }
        if frame.pinned() {
            refer(recounts, mfn, true);
        }
        let Some(level) = frame.live_table() else {
            return 0;
        };
        let mut mistyped = 0;
        for index in Host::<B>::slots(level) {
            let pte = Pte(host.memory.read(mfn, index));
            let target = pte.mfn();
            if !pte.present() {
                continue;
            }
            let kind = host.frame(target).kind();
            let linear = level > 1 && kind == Type::table(level);
            let right = match level {
                1 => !pte.writable() || kind == Type::Writable,
                _ if linear => !pte.writable(),
                _ => kind == Type::table(level - 1),
            };
            mistyped += u64::from(!right);
            if linear && target == mfn {
                continue;
            }
            refer(recounts, target, level > 1 || pte.writable());
            if linear {
                recounts[mfn.0 as usize].linear += 1;
                recounts[target.0 as usize].linear -= 1;
            }
        }
        mistyped
    }
}

/// One reference to a frame, if there is such a frame.
fn refer(recounts: &mut [Recount], mfn: RawMfn, typed: bool) {
    if let Some(recount) = recounts.get_mut(mfn.0 as usize) {
        recount.count += 1;
        recount.types += u64::from(typed);
    }
}
