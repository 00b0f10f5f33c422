//! `XENMEM_exchange`: frames given for others, as many.
//!
//! Chunk by chunk: a chunk is the larger of the two extents. Its frames are taken from the guest, others
//! are found, and only then are the first ones free. So no frame is given for itself, and a chunk is
//! done or not done. A frame that is mapped, typed or pinned is not to be had.
//!
//! Source: `memory_exchange` in `xen/common/memory.c`, `steal_page` in `xen/arch/x86/mm.c` of Xen 4.17.

use super::domain::Cpu;
use super::frame::{Frame, Owner};
use super::host::Host;
use super::hypercall::{Errno, Refused};
use super::number::{Pfn, RawMfn};
use super::reservation::MAX_ORDER;
use crate::backend::Backend;
use alloc::vec::Vec;

/// What is given, what is wanted for it, and how far it came.
#[derive(Debug)]
pub struct Exchange<'a> {
    /// First MFNs of the extents given.
    pub given: &'a [u64],
    /// An extent given has `1 << given_order` frames.
    pub given_order: u32,
    /// First PFNs of the extents wanted; each becomes the MFN that was got.
    pub wanted: &'a mut [u64],
    /// An extent wanted has `1 << wanted_order` frames.
    pub wanted_order: u32,
    /// Extents given that are done, before the call and after it.
    pub done: usize,
}

impl Exchange<'_> {
    /// Whether the lists say the same number of frames.
    fn matches(&self) -> bool {
        let frames = |extents: usize, order| (extents as u128) << order;
        self.done <= self.given.len()
            && frames(self.given.len(), self.given_order)
                == frames(self.wanted.len(), self.wanted_order)
    }
}

impl<B: Backend> Cpu<'_, B> {
    /// Exchanges chunk after chunk, to the first that cannot be.
    /// Unless the frames are the guest's `own`, or none is left to do.
    pub(super) fn exchange(
        &self,
        exchange: &mut Exchange<'_>,
        own: Result<(), Errno>,
    ) -> Result<(), Refused> {
        let order = exchange.given_order.max(exchange.wanted_order);
        let verdict = if order > MAX_ORDER {
            Err(Errno::Perm)
        } else if !exchange.matches() {
            Err(Errno::Inval)
        } else if exchange.done == exchange.given.len() {
            Ok(())
        } else {
            own.and_then(|()| self.exchange_chunks(exchange, order))
        };
        verdict.map_err(|errno| Refused {
            errno,
            done: exchange.done,
        })
    }

    fn exchange_chunks(&self, exchange: &mut Exchange<'_>, order: u32) -> Result<(), Errno> {
        let host = self.host();
        let giving = 1 << (order - exchange.given_order);
        let getting = 1 << (order - exchange.wanted_order);
        let chunks = exchange.given.len() / giving;
        for chunk in exchange.done / giving..chunks {
            exchange.done = chunk * giving;
            let given = &exchange.given[chunk * giving..][..giving];
            let wanted = &mut exchange.wanted[chunk * getting..][..getting];
            let frames = given.iter().flat_map(|first| {
                (0..1 << exchange.given_order).map(|at| RawMfn(first.wrapping_add(at)))
            });
            let stolen = host.steal(frames)?;
            let Some(got) = host.find(wanted.len(), exchange.wanted_order) else {
                host.unsteal(stolen);
                return Err(Errno::NoMem);
            };
            stolen.into_iter().for_each(|mfn| host.release(mfn));
            for (extent, first) in wanted.iter_mut().zip(got) {
                for at in 0..1 << exchange.wanted_order {
                    let pfn = Pfn(extent.wrapping_add(at));
                    host.set_m2p(RawMfn(first.0 + at), Some(pfn));
                }
                *extent = first.0;
            }
        }
        exchange.done = exchange.given.len();
        Ok(())
    }
}

impl<B: Backend> Host<B> {
    /// Takes frames away that nothing needs, so that nobody gets a reference to them; all, or none.
    fn steal(&self, frames: impl Iterator<Item = RawMfn>) -> Result<Vec<RawMfn>, Errno> {
        let mut stolen = Vec::new();
        for mfn in frames {
            let steal = |f: Frame| match f.put() {
                Some(left) if left.count() == 0 && f.allocated() && !f.xen_heap() => {
                    Ok(left.disowned())
                }
                _ => Err(Errno::Inval),
            };
            let guests = self.is_frame(mfn) && self.frame(mfn).owner() == Owner::Guest;
            if !guests || self.update(mfn, steal).is_err() {
                self.unsteal(stolen);
                return Err(Errno::Inval);
            }
            stolen.push(mfn);
        }
        Ok(stolen)
    }

    /// Gives them back, untyped.
    fn unsteal(&self, stolen: Vec<RawMfn>) {
        for mfn in stolen {
            self.assign(mfn, Frame::given(Owner::Guest));
        }
    }

    /// So many extents of free frames, beyond what the guest may have; all, or none.
    fn find(&self, extents: usize, order: u32) -> Option<Vec<RawMfn>> {
        let mut found = Vec::new();
        while found.len() < extents {
            let Some(first) = self.allocate(order, u64::MAX) else {
                let frames = found
                    .into_iter()
                    .flat_map(|RawMfn(first)| first..first + (1 << order));
                frames.for_each(|mfn| self.release(RawMfn(mfn)));
                return None;
            };
            found.push(first);
        }
        Some(found)
    }
}
