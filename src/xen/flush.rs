//! Flushes that a hypercall does on the way: which TLBs forget what.
//!
//! Source: `__do_update_va_mapping`, `vcpumask_to_pcpumask` in `xen/arch/x86/mm.c` of Xen 4.17.

use super::domain::Cpu;
use super::hypercall::Errno;
use super::number::Va;
use super::walk::PageFault;
use crate::backend::Backend;
use alloc::boxed::Box;

/// What `update_va_mapping` has TLBs forget when the entry is written: its `flags`.
///
/// | bits 0, 1 | bits 2 .. 63 |
/// |---|---|
/// | 0 or 3: nothing | |
/// | 1: everything | 0: of this vCPU; 1: of all; else the address, in steps of 4, of a bitmap of vCPUs |
/// | 2: the page | likewise |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flush(
    /// The flags, as in the register.
    pub u64,
);

impl Flush {
    /// Nothing: for an entry that was not present, or somebody who flushes later.
    pub const NOTHING: Flush = Flush(0);
    /// Everything, on this vCPU.
    pub const LOCAL: Flush = Flush(EVERYTHING);
    /// The page, on this vCPU.
    pub const PAGE: Flush = Flush(PAGE);
    /// Everything, on all vCPUs.
    pub const ALL: Flush = Flush(EVERYTHING | ALL);
    /// The page, on all vCPUs.
    pub const PAGE_ALL: Flush = Flush(PAGE | ALL);
}

const KIND: u64 = 3;
const EVERYTHING: u64 = 1;
const PAGE: u64 = 2;
const ALL: u64 = 4;

impl<B: Backend> Cpu<'_, B> {
    /// What Xen does after an `update_va_mapping` of the page at `va`, whose entry is written by now.
    pub(super) fn flush_after_mapping(&self, va: Va, flush: Flush) -> Result<(), Errno> {
        let kind = flush.0 & KIND;
        match flush.0 & !KIND {
            _ if !matches!(kind, EVERYTHING | PAGE) => {}
            0 if kind == EVERYTHING => self.flush_own(),
            0 => self.flush_page(va.canonical()),
            ALL => self.flush_all(),
            bitmap => self.flush_some(bitmap).map_err(|_| Errno::Fault)?,
        }
        Ok(())
    }

    /// The vCPUs in a bitmap in the guest's memory forget all, or none does if it is not mapped. One
    /// page would do where a page is asked for, but a processor may forget more.
    pub(super) fn flush_some(&self, bitmap: u64) -> Result<(), PageFault> {
        let vcpus = &self.domain().vcpus;
        let words = vcpus.iter().count().div_ceil(64) as u64;
        let word = |at: u64| self.load_eight(bitmap.wrapping_add(8 * at));
        let words = (0..words).map(word).collect::<Result<Box<[_]>, _>>()?;
        for (id, vcpu) in vcpus.iter().enumerate() {
            if words[id / 64] >> (id % 64) & 1 == 1 {
                vcpu.tlb.shoot();
            }
        }
        Ok(())
    }
}
