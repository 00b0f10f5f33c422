//! `memory_op`: frames given back, and got.
//!
//! A frame that is given back while it is still mapped stays the guest's until it is mapped no more;
//! then its M2P goes too. Xen never touches the P2M: that is the guest's own.
//!
//! Source: `xen/common/memory.c`; verdicts as observed on Xen 4.17.

use super::domain::Cpu;
use super::hypercall::Errno;
use super::number::{Pfn, RawMfn};
use crate::backend::Backend;

/// A change of the reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reservation {
    /// `XENMEM_increase_reservation`: frames without a PFN.
    Increase,
    /// `XENMEM_decrease_reservation`: extents are MFNs, given back.
    Decrease,
    /// `XENMEM_populate_physmap`: extents are PFNs, and become MFNs. Any PFN will do.
    Populate,
}

/// The largest extent a guest without devices may ask for: 2 MiB.
pub(super) const MAX_ORDER: u32 = 9;

impl<B: Backend> Cpu<'_, B> {
    /// Changes the reservation, extent by extent of `1 << order` frames; stops at the first that
    /// cannot be done, and returns how many were.
    pub(super) fn change_reservation(
        &self,
        change: Reservation,
        order: u32,
        extents: &mut [u64],
    ) -> usize {
        if order > MAX_ORDER {
            return 0;
        }
        for (done, extent) in extents.iter_mut().enumerate() {
            let changed = match change {
                Reservation::Increase => self.take(order, extent, |_| None),
                Reservation::Populate => {
                    let first = *extent;
                    self.take(order, extent, |at| Some(Pfn(first.wrapping_add(at))))
                }
                Reservation::Decrease => {
                    let mut frames = (0..1 << order).map(|at| RawMfn(extent.wrapping_add(at)));
                    frames.all(|mfn| self.give_back(mfn))
                }
            };
            if !changed {
                return done;
            }
        }
        extents.len()
    }

    /// Gets an extent, and says which PFNs its frames are.
    fn take(&self, order: u32, extent: &mut u64, pfn: impl Fn(u64) -> Option<Pfn>) -> bool {
        let most = self.domain().most_frames();
        let Some(first) = self.host().allocate(order, most) else {
            return false;
        };
        for at in 0..1 << order {
            self.host().set_m2p(RawMfn(first.0 + at), pfn(at));
        }
        *extent = first.0;
        true
    }

    /// Gives a frame of the guest's back, whatever it is used as.
    fn give_back(&self, mfn: RawMfn) -> bool {
        let had = self.host().get_page(mfn, Errno::Inval).is_ok();
        if had {
            self.host().disown(mfn);
            self.host().put_page(mfn);
        }
        had
    }
}
