//! `memory_op` as Xen gets it: whose reservation, and what of it.

use super::domid::{Domid, Owns};
use super::exchange::Exchange;
use super::hypercall::Errno;
use super::raw::{Raw, rc};
use super::reservation::Reservation;
use crate::backend::Backend;

impl<B: Backend> Raw<'_, B> {
    /// The same calls, of which those of `memory_op` are about that domain's reservation.
    pub fn of(self, whose: Domid) -> Self {
        Self { whose, ..self }
    }

    /// `memory_op`, of those that change the reservation: extents of `1 << order` frames, MFNs to give
    /// back or PFNs to populate, overwritten by what was got. Returns how many extents were done.
    /// None of another domain's is.
    pub fn change_reservation(self, change: Reservation, order: u32, extents: &mut [u64]) -> i64 {
        if self.own_reservation().is_err() {
            return 0;
        }
        let done = self
            .cpu
            .hypercall(|cpu| Ok(cpu.change_reservation(change, order, extents)));
        done.map_or(0, |count| count as i64)
    }

    /// `XENMEM_exchange`, of the guest's own frames. Says in `exchange` how far it came.
    pub fn exchange(self, exchange: &mut Exchange<'_>) -> i64 {
        let own = self.own_reservation();
        let verdict = self.cpu.hypercall(|cpu| cpu.exchange(exchange, own));
        rc(verdict.map_err(|refused| refused.errno))
    }

    /// That a `memory_op` is about the guest's own.
    fn own_reservation(self) -> Result<(), Errno> {
        match self.whose {
            Domid::SELF => Ok(()),
            whose => Owns::by_number(whose).and_then(Owns::own),
        }
    }

    /// A number of the guest's, or why it is not told.
    fn told(self, number: u64) -> i64 {
        let own = self.own_reservation();
        own.map_or_else(|errno| errno as i64, |()| number as i64)
    }

    /// `XENMEM_current_reservation`: frames the guest has.
    pub fn current_reservation(self) -> i64 {
        self.told(self.cpu.host().owned())
    }

    /// `XENMEM_maximum_reservation`: frames it may have.
    pub fn maximum_reservation(self) -> i64 {
        self.told(self.cpu.domain().most_frames())
    }

    /// `XENMEM_maximum_ram_page`: where the machine's frames end.
    pub fn maximum_ram_page(self) -> i64 {
        self.cpu.host().frames() as i64
    }
}
