//! All of a stream but its pages.

use super::vcpu::VcpuRecords;
use crate::xen::number::Pfn;
use alloc::borrow::Cow;
use alloc::vec::Vec;

/// All of a stream but its pages: what is read before them, and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State<'a> {
    /// Of the image: 2 or 3.
    pub version: u32,
    /// Of the Xen that wrote it, major and minor.
    pub xen: [u32; 2],
    /// The CPUID policy, leaves of 24 octets; empty if none was sent.
    pub cpuid: Cow<'a, [u8]>,
    /// The MSR policy, entries of 16 octets; empty if none was sent.
    pub msr: Cow<'a, [u8]>,
    /// How many PFNs there are.
    pub pages: u64,
    /// The pages of the P2M list, in order, 512 PFNs each.
    pub p2m_frames: Vec<Pfn>,
    /// The body of X86_TSC_INFO, 24 octets.
    pub tsc: Cow<'a, [u8]>,
    /// The contents of the shared_info page.
    pub shared_info: Cow<'a, [u8]>,
    /// The vCPUs, ascending by number, 0 among them.
    pub vcpus: Vec<VcpuRecords<'a>>,
}

impl State<'_> {
    /// A copy that borrows nothing.
    pub(super) fn owned(&self) -> State<'static> {
        State {
            version: self.version,
            xen: self.xen,
            cpuid: own(&self.cpuid),
            msr: own(&self.msr),
            pages: self.pages,
            p2m_frames: self.p2m_frames.clone(),
            tsc: own(&self.tsc),
            shared_info: own(&self.shared_info),
            vcpus: self.vcpus.iter().map(VcpuRecords::owned).collect(),
        }
    }
}

/// No octets: of a record that was not sent.
pub(super) const NONE: Cow<'static, [u8]> = Cow::Borrowed(&[]);

pub(super) fn own(octets: &[u8]) -> Cow<'static, [u8]> {
    Cow::Owned(octets.to_vec())
}
