//! `mmuext_op`: pins, roots, whole pages, and flushes.
//!
//! A flush empties TLBs (module `tlb`), if there are any; its arguments are judged in any case.

use super::domain::Cpu;
use super::hypercall::{Errno, Refused};
use super::number::{Mfn, RawMfn};
use super::walk::is_guests;
use crate::backend::{Atomic, Backend};
use core::sync::atomic::Ordering::Relaxed;

/// The commands, by their numbers in the ABI; 0 to 3 pin a table of level 1 to 4.
mod command {
    pub(super) const PIN_L1_TABLE: u32 = 0;
    pub(super) const PIN_L4_TABLE: u32 = 3;
    pub(super) const UNPIN_TABLE: u32 = 4;
    pub(super) const NEW_BASEPTR: u32 = 5;
    pub(super) const TLB_FLUSH_LOCAL: u32 = 6;
    pub(super) const INVLPG_LOCAL: u32 = 7;
    pub(super) const TLB_FLUSH_MULTI: u32 = 8;
    pub(super) const INVLPG_MULTI: u32 = 9;
    pub(super) const TLB_FLUSH_ALL: u32 = 10;
    pub(super) const INVLPG_ALL: u32 = 11;
    pub(super) const FLUSH_CACHE: u32 = 12;
    pub(super) const SET_LDT: u32 = 13;
    pub(super) const NEW_USER_BASEPTR: u32 = 15;
    pub(super) const CLEAR_PAGE: u32 = 16;
    pub(super) const COPY_PAGE: u32 = 17;
    pub(super) const FLUSH_CACHE_GLOBAL: u32 = 18;
    pub(super) const MARK_SUPER: u32 = 19;
    pub(super) const UNMARK_SUPER: u32 = 20;
}

/// Descriptors that an LDT may have.
const LDT_ENTRIES: u64 = 8192;

/// One entry of an `mmuext_op`, as it stands in the guest's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MmuextOp {
    /// `MMUEXT_*`.
    pub command: u32,
    /// A frame's number, or an address.
    pub arg1: u64,
    /// A count, an address, or the source's frame.
    pub arg2: u64,
}

impl<B: Backend> Cpu<'_, B> {
    /// `MMUEXT_PIN_L4_TABLE` and its lower kin.
    pub(super) fn pin(&self, mfn: Mfn<'_>, level: u32) -> Result<(), Refused> {
        self.one(|cpu| cpu.host().pin(cpu.admit(mfn), level))
    }

    /// `MMUEXT_UNPIN_TABLE`.
    pub(super) fn unpin(&self, mfn: Mfn<'_>) -> Result<(), Refused> {
        self.one(|cpu| cpu.host().unpin(cpu.admit(mfn)))
    }

    /// `MMUEXT_NEW_BASEPTR`: loads a root.
    pub(super) fn new_baseptr(&self, mfn: Mfn<'_>) -> Result<(), Refused> {
        self.one(|cpu| cpu.load_kernel(cpu.admit(mfn)))
    }

    /// The root of the kernel, without which no vCPU runs.
    fn load_kernel(&self, root: RawMfn) -> Result<(), Errno> {
        if root.0 == 0 {
            return Err(Errno::Inval);
        }
        self.load_root(&self.state.cr3, root)
    }

    /// Puts a root in a register that holds a type reference; 0 stands for none.
    fn load_root(&self, register: &B::U64, root: RawMfn) -> Result<(), Errno> {
        self.flush_own();
        if register.load(Relaxed) == root.0 {
            return Ok(());
        }
        if root.0 != 0 {
            self.host().get_root(root)?;
        }
        let old = register.swap(root.0, Relaxed);
        if old != 0 {
            self.host().put_table(RawMfn(old));
        }
        Ok(())
    }

    /// One entry of an `mmuext_op`, on the guest's own frames.
    pub(super) fn extended(&self, op: MmuextOp) -> Result<(), Errno> {
        let mfn = RawMfn(op.arg1);
        match op.command {
            command::PIN_L1_TABLE..=command::PIN_L4_TABLE => self.host().pin(mfn, op.command + 1),
            command::UNPIN_TABLE => self.host().unpin(mfn),
            command::NEW_BASEPTR => self.load_kernel(mfn),
            // A 32-bit kernel's own root is that of its processes.
            command::NEW_USER_BASEPTR if self.host().paging.levels() < 4 => Err(Errno::Inval),
            command::NEW_USER_BASEPTR => self.load_root(&self.state.user, mfn),
            command::TLB_FLUSH_LOCAL => {
                self.flush_own();
                Ok(())
            }
            command::INVLPG_LOCAL => {
                self.flush_page(op.arg1);
                Ok(())
            }
            command::TLB_FLUSH_ALL | command::INVLPG_ALL => {
                self.flush_all();
                Ok(())
            }
            // Which vCPUs: a bitmap in the guest's memory.
            command::TLB_FLUSH_MULTI | command::INVLPG_MULTI => {
                self.flush_some(op.arg2).map_err(|_| Errno::Inval)
            }
            command::FLUSH_CACHE => Err(Errno::Acces),
            command::FLUSH_CACHE_GLOBAL => Err(Errno::Inval),
            command::SET_LDT => set_ldt(op.arg1, op.arg2),
            command::CLEAR_PAGE => {
                let memory = &self.host().memory;
                self.host().as_writable(mfn, || memory.clear(mfn))
            }
            command::COPY_PAGE => self.copy_page(RawMfn(op.arg2), mfn),
            command::MARK_SUPER | command::UNMARK_SUPER => Err(Errno::OpNotSupp),
            _ => Err(Errno::NoSys),
        }
    }

    fn copy_page(&self, from: RawMfn, to: RawMfn) -> Result<(), Errno> {
        let host = self.host();
        host.get_page(from, Errno::Inval)?;
        let copied = host.as_writable(to, || host.memory.copy(from, to));
        host.put_page(from);
        copied
    }
}

/// An LDT lies at a page's start, in the guest's part of the addresses; without entries it lies nowhere.
fn set_ldt(address: u64, entries: u64) -> Result<(), Errno> {
    let entries = entries & u64::from(u32::MAX);
    let address = if entries == 0 { 0 } else { address };
    if address % 4096 != 0 || !is_guests(address) || entries > LDT_ENTRIES {
        return Err(Errno::Inval);
    }
    Ok(())
}
