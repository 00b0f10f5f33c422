//! The kinds of records and of pages, by their numbers.
//!
//! Source: `docs/specs/libxc-migration-stream.pandoc` of Xen, and `xg_sr_stream_format.h`.

use core::fmt;

/// A record that ends on no multiple of this is padded with zeros.
pub(super) const ALIGN: usize = 8;
/// Xen's own limit to the length of a record's body: 128 MiB.
pub(super) const LONGEST: u32 = 128 << 20;
/// A record whose type has this bit may be skipped by who does not know it.
pub(super) const OPTIONAL: u32 = 1 << 31;
/// The all-ones word that a stream starts with, which no older format has there.
pub(super) const MARKER: u64 = u64::MAX;
/// "XENF".
pub(super) const IDENT: u32 = 0x5845_4e46;
/// The domain header's number for an x86 PV guest.
pub(super) const X86_PV: u32 = 1;
/// Octets of a page.
pub const PAGE_SIZE: usize = 4096;
/// PFNs that one page of the P2M list covers.
pub(super) const PER_FRAME: u64 = 512;

/// A record's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub(super) enum Kind {
    End = 0x00,
    PageData = 0x01,
    PvInfo = 0x02,
    P2mFrames = 0x03,
    VcpuBasic = 0x04,
    VcpuExtended = 0x05,
    VcpuXsave = 0x06,
    SharedInfo = 0x07,
    TscInfo = 0x08,
    HvmContext = 0x09,
    HvmParams = 0x0a,
    Toolstack = 0x0b,
    VcpuMsrs = 0x0c,
    Verify = 0x0d,
    Checkpoint = 0x0e,
    DirtyPfns = 0x0f,
    StaticDataEnd = 0x10,
    CpuidPolicy = 0x11,
    MsrPolicy = 0x12,
}

impl Kind {
    const ALL: [Kind; 19] = [
        Kind::End,
        Kind::PageData,
        Kind::PvInfo,
        Kind::P2mFrames,
        Kind::VcpuBasic,
        Kind::VcpuExtended,
        Kind::VcpuXsave,
        Kind::SharedInfo,
        Kind::TscInfo,
        Kind::HvmContext,
        Kind::HvmParams,
        Kind::Toolstack,
        Kind::VcpuMsrs,
        Kind::Verify,
        Kind::Checkpoint,
        Kind::DirtyPfns,
        Kind::StaticDataEnd,
        Kind::CpuidPolicy,
        Kind::MsrPolicy,
    ];

    /// The kind with this number, if there is one.
    pub(super) fn of(number: u32) -> Option<Kind> {
        Kind::ALL.get(number as usize).copied()
    }

    /// Its name in Xen.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Kind::End => "END",
            Kind::PageData => "PAGE_DATA",
            Kind::PvInfo => "X86_PV_INFO",
            Kind::P2mFrames => "X86_PV_P2M_FRAMES",
            Kind::VcpuBasic => "X86_PV_VCPU_BASIC",
            Kind::VcpuExtended => "X86_PV_VCPU_EXTENDED",
            Kind::VcpuXsave => "X86_PV_VCPU_XSAVE",
            Kind::SharedInfo => "SHARED_INFO",
            Kind::TscInfo => "X86_TSC_INFO",
            Kind::HvmContext => "HVM_CONTEXT",
            Kind::HvmParams => "HVM_PARAMS",
            Kind::Toolstack => "TOOLSTACK",
            Kind::VcpuMsrs => "X86_PV_VCPU_MSRS",
            Kind::Verify => "VERIFY",
            Kind::Checkpoint => "CHECKPOINT",
            Kind::DirtyPfns => "CHECKPOINT_DIRTY_PFN_LIST",
            Kind::StaticDataEnd => "STATIC_DATA_END",
            Kind::CpuidPolicy => "X86_CPUID_POLICY",
            Kind::MsrPolicy => "X86_MSR_POLICY",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a stream says a page is: `XEN_DOMCTL_PFINFO_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageType {
    /// No page table: its contents are sent as they are.
    NoTab,
    /// A page table: its present entries hold PFNs.
    Table {
        /// 1 to 4, 4 being the root.
        level: u32,
        /// Whether it was pinned, and is to be again.
        pinned: bool,
    },
    /// A page with a memory error.
    Broken,
    /// A page to be allocated, without contents.
    XAlloc,
    /// A PFN without a frame.
    XTab,
}

impl PageType {
    /// The type with this number of four bits; 5 to 8 are nobody's.
    pub(super) const fn of(number: u64) -> Option<PageType> {
        Some(match number {
            0 => PageType::NoTab,
            1..=4 | 9..=12 => PageType::Table {
                level: number as u32 & 7,
                pinned: number > 8,
            },
            13 => PageType::Broken,
            14 => PageType::XAlloc,
            15 => PageType::XTab,
            _ => return None,
        })
    }

    /// Its number.
    pub(super) const fn number(self) -> u64 {
        match self {
            PageType::NoTab => 0,
            PageType::Table { level, pinned } => level as u64 | (pinned as u64) << 3,
            PageType::Broken => 13,
            PageType::XAlloc => 14,
            PageType::XTab => 15,
        }
    }

    /// Whether the stream has its contents.
    pub const fn has_contents(self) -> bool {
        matches!(self, PageType::NoTab | PageType::Table { .. })
    }
}
