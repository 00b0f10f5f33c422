//! A vCPU's records, and the fields of its context that name pages.
//!
//! The context is `struct vcpu_guest_context` of x86-64: 512 octets of FPU state, flags, registers,
//! trap table, LDT, GDT, kernel stack, control and debug registers, callbacks, segment bases.

use super::records::{Kind, PER_FRAME};
use super::state::{NONE, own};
use crate::xen::number::{PAGE_SHIFT, Pfn};
use crate::xen::registers::{Words, offsets};
use alloc::borrow::Cow;

/// Octets of the context.
pub(super) const CONTEXT: usize = 5168;
/// Octets of the extended context.
pub(super) const EXTENDED: usize = 64;
/// The most entries a guest's GDT may have: the pages above are Xen's.
pub(super) const GDT_ENTRIES: u64 = 14 * PER_FRAME;

const FLAGS: usize = 512;
const RDX: usize = 616;
const GDT_FRAMES: usize = 4832;
const GDT_ENTS: usize = 4960;
const CR1: usize = 4992;
const CR3: usize = 5008;
const VM_ASSIST: usize = 5136;

/// The records of a vCPU, in the order of a stream.
pub(super) const PARTS: [Kind; 4] = [
    Kind::VcpuBasic,
    Kind::VcpuExtended,
    Kind::VcpuXsave,
    Kind::VcpuMsrs,
];

/// FPU state valid, in the kernel, online.
const RUNNING: u64 = 0x25;

/// The records of one vCPU. The contexts are opaque but for the few fields that name pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VcpuRecords<'a> {
    pub(super) id: u32,
    /// The bodies of its four records, in the order of a stream, without the header that they share;
    /// empty if none was sent.
    pub(super) parts: [Cow<'a, [u8]>; 4],
}

impl VcpuRecords<'_> {
    /// A vCPU with nothing in its registers but its root and, of vCPU 0, start_info in rdx.
    pub fn new(id: u32, root: Pfn, start_info: Option<Pfn>) -> VcpuRecords<'static> {
        let mut extended = [0; EXTENDED];
        extended[..4].copy_from_slice(&id.to_le_bytes());
        extended[4..8].copy_from_slice(&(EXTENDED as u32).to_le_bytes());
        let mut records = VcpuRecords {
            id,
            parts: [own(&[0; CONTEXT]), own(&extended), NONE, NONE],
        };
        records.put(FLAGS, RUNNING);
        records.put(RDX, start_info.map_or(0, |pfn| pfn.0));
        records.set_root(root);
        records
    }

    pub(super) fn owned(&self) -> VcpuRecords<'static> {
        VcpuRecords {
            id: self.id,
            parts: self.parts.each_ref().map(|part| own(part)),
        }
    }

    fn get(&self, offset: usize) -> u64 {
        let word = self.parts[0][offset..].first_chunk();
        word.map_or(0, |octets| u64::from_le_bytes(*octets))
    }

    fn put(&mut self, offset: usize, word: u64) {
        self.parts[0].to_mut()[offset..offset + 8].copy_from_slice(&word.to_le_bytes());
    }

    /// The vCPU's number.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The control register cr3: a PFN, shifted.
    pub(super) fn cr3(&self) -> u64 {
        self.get(CR3)
    }

    /// The page of the loaded root.
    pub fn root(&self) -> Pfn {
        Pfn(self.cr3() >> PAGE_SHIFT)
    }

    pub(super) fn set_root(&mut self, root: Pfn) {
        self.put(CR3, root.0 << PAGE_SHIFT);
    }

    /// The root for user mode as it stands in the context: 0, or a PFN, shifted, with bit 0 set.
    pub(super) fn cr1(&self) -> u64 {
        self.get(CR1)
    }

    /// The page of the root for user mode, if there is one.
    pub fn user_root(&self) -> Option<Pfn> {
        (self.cr1() != 0).then_some(Pfn(self.cr1() >> PAGE_SHIFT))
    }

    pub(super) fn set_user_root(&mut self, root: Option<Pfn>) {
        self.put(CR1, root.map_or(0, |root| root.0 << PAGE_SHIFT | 1));
    }

    /// What rdx holds: of vCPU 0, start_info's PFN.
    pub fn start_info(&self) -> Pfn {
        Pfn(self.get(RDX))
    }

    /// What the guest asked for by `vm_assist`: every vCPU has it, and vCPU 0's counts.
    pub(super) fn assists(&self) -> u64 {
        self.get(VM_ASSIST)
    }

    pub(super) fn set_assists(&mut self, assists: u64) {
        self.put(VM_ASSIST, assists);
    }

    /// Its registers, as they are.
    pub(super) fn registers(&self) -> Words {
        offsets().map(|offset| self.get(offset))
    }

    /// The same, but for rdx of vCPU 0, which names start_info.
    pub(super) fn set_registers(&mut self, words: &Words) {
        let start_info = self.start_info();
        for (offset, word) in offsets().into_iter().zip(words) {
            self.put(offset, *word);
        }
        if self.id == 0 {
            self.put(RDX, start_info.0);
        }
    }

    /// How many entries its GDT has.
    pub(super) fn gdt_entries(&self) -> u64 {
        self.get(GDT_ENTS)
    }

    /// The pages of its GDT.
    pub(super) fn gdt(&self) -> impl Iterator<Item = Pfn> {
        let pages = self.gdt_entries().min(GDT_ENTRIES).div_ceil(PER_FRAME);
        (0..pages as usize).map(|n| Pfn(self.get(GDT_FRAMES + 8 * n)))
    }
}
