//! What a guest asks Xen about its vCPU and its event ports, in numbers.

use super::domid::Domid;
use super::events::Port;
use super::hypercall::Errno;
use super::raw::{Raw, rc};
use super::registers::Register64;
use crate::backend::Backend;

impl<B: Backend> Raw<'_, B> {
    /// A register of this vCPU's.
    pub fn register(self, register: Register64) -> u64 {
        self.cpu.state.registers.get(register)
    }

    /// Moves a number into a register of this vCPU's, where nothing keeps it true.
    pub fn set_register(self, register: Register64, word: u64) {
        self.cpu.state.registers.set(register, word);
    }

    /// `set_debugreg`, of the four that hold an address; there are no others here.
    pub fn set_debugreg(self, number: u32, address: u64) -> i64 {
        rc(self.cpu.set_debug(number, address))
    }

    /// `get_debugreg`: what is in one of the four.
    ///
    /// # Errors
    /// [`Errno::Inval`] of another.
    pub fn get_debugreg(self, number: u32) -> Result<u64, Errno> {
        self.cpu.debug(number)
    }

    /// `EVTCHNOP_alloc_unbound`: a port that `remote` may bind to; `dom` is the guest.
    ///
    /// # Errors
    /// Xen's: `dom` is somebody else, or no port is free.
    pub fn alloc_unbound(self, dom: Domid, remote: Domid) -> Result<u32, Errno> {
        self.cpu.alloc_unbound(dom, remote)
    }

    /// `EVTCHNOP_bind_virq`: a port for a virtual interrupt.
    ///
    /// # Errors
    /// Xen's: no such interrupt, or vCPU; it is bound already; no port is free.
    pub fn bind_virq(self, virq: u32, vcpu: u32) -> Result<u32, Errno> {
        self.cpu.bind_virq(virq, vcpu)
    }

    /// `EVTCHNOP_bind_ipi`: a port for interrupts of the guest's own.
    ///
    /// # Errors
    /// Xen's: no such vCPU; no port is free.
    pub fn bind_ipi(self, vcpu: u32) -> Result<u32, Errno> {
        self.cpu.bind_ipi(vcpu)
    }

    /// `EVTCHNOP_status`: what a port is bound to.
    ///
    /// # Errors
    /// [`Errno::Inval`]: no such port.
    pub fn port(self, port: u32) -> Result<Port, Errno> {
        self.cpu.port(port)
    }
}
