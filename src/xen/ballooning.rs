//! The reservation changed in a hold: frames given back and got, as typed MFNs.
//!
//! Xen's part is [`reservation`](super::reservation). It never touches the P2M, which is the guest's own
//! memory: the kernel writes that, and tells the M2P by `MMU_MACHPHYS_UPDATE`.

use super::access::Access;
use super::domain::Cpu;
use super::hypercall::{Command, MmuUpdate};
use super::number::{Mfn, Pfn, RawMfn, Stamp};
use super::pte::{NewPte, Pte};
use super::reservation::Reservation;
use crate::backend::Backend;
use alloc::vec::Vec;
use core::marker::PhantomData;

impl<'h> MmuUpdate<'h> {
    /// `MMU_MACHPHYS_UPDATE`: this frame is that page.
    pub fn machphys(frame: Mfn<'h>, page: Pfn) -> Self {
        let word = NewPte {
            pte: Pte(page.0),
            stamp: Stamp::NONE,
            meant: None,
            hold: PhantomData,
        };
        Self {
            ptr: frame.entry(0),
            command: Command::MachPhys,
            val: word,
        }
    }
}

impl<'g, B: Backend> Access<'g, B> {
    /// `XENMEM_decrease_reservation`: gives frames back to Xen; returns how many it took, from the first
    /// on. One that is still mapped somewhere stays the guest's until it is not.
    pub fn decrease_reservation(self, frames: &[Mfn<'g>]) -> usize {
        self.change(|cpu| {
            let mut extents: Vec<u64> = frames.iter().map(|mfn| cpu.admit(*mfn).0).collect();
            cpu.change_reservation(Reservation::Decrease, 0, &mut extents)
        })
    }

    /// `XENMEM_increase_reservation`: gets up to `count` frames, as few as Xen has. They have no PFN, and
    /// whatever contents their last owner left.
    pub fn increase_reservation(self, count: usize) -> Vec<Mfn<'g>> {
        let mut extents = alloc::vec![0; count];
        let got = self.change(|cpu| cpu.change_reservation(Reservation::Increase, 0, &mut extents));
        let stamp = self.cpu.domain().stamp();
        let frames = extents.into_iter().take(got).map(|mfn| Mfn {
            raw: RawMfn(mfn),
            stamp,
            meant: None,
            hold: PhantomData,
        });
        frames.collect()
    }

    /// Writes the guest's P2M: this page has that frame, or none. Costs a store.
    ///
    /// # Panics
    /// If the guest has no such page.
    pub fn set_p2m(self, page: Pfn, frame: Option<Mfn<'g>>) {
        match frame {
            Some(mfn) => self.cpu.domain().set_p2m(page, self.cpu.admit(mfn)),
            None => self.cpu.domain().clear_p2m(page),
        }
    }

    fn change(self, body: impl FnOnce(&Cpu<'_, B>) -> usize) -> usize {
        // The call itself is never refused: it says how far it came.
        self.cpu.hypercall(|cpu| Ok(body(cpu))).unwrap_or(0)
    }
}
