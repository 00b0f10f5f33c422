//! Save, as the tools do it: every present entry of every page table in use becomes a PFN.
//!
//! What is canonicalised: entries of pages that *are* page tables at that moment, present ones only;
//! the vCPUs' roots; the register that names start_info. What is not: everything else. An entry that
//! does not resolve (its frame has no PFN, or that PFN another frame) makes the tools drop the
//! **whole table** and say nothing: observed on Xen 4.17. What they drop they do not send, and what is
//! not sent comes back as a page of zeros if an entry of another table names it, and not at all otherwise.
//!
//! A P2M word that names no frame of the guest's (another domain's, a free one, Xen's own) is sent as
//! nothing too: `XEN_DOMCTL_getpageframeinfo3` says `XTAB`.

use super::frame::Type;
use super::guest::Guest;
use super::image::{Contents, Image, Page, Roots, Table};
use super::number::{ENTRIES, Pfn, RawMfn};
use super::pte::Pte;
use super::registers::Words;
use super::stream::Malformed;
use crate::backend::{Atomic, Backend};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::Ordering::Relaxed;

/// Why a guest could not be saved or restored. It is then lost, or still running where it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The register did not name start_info: "Bad mfn for suspend record". The guest was not saved.
    StartInfo,
    /// A vCPU's root is not one of the guest's frames. The guest was not saved.
    Root,
    /// start_info held what is no PFN: the guest forgot to canonicalise. It was not restored.
    NotCanonical,
    /// What a vCPU names came as a page of another kind, or not at all: a root that the save dropped
    /// ("cr3 has bad type 15, expected 4"), a start_info that is a page table. It was not restored.
    WrongType,
    /// A root did not pass validation on the other side: "Failed to set vcpu0's basic info".
    Load,
    /// A pinned table did not: "Failed to pin batch of pagetables".
    Pin,
    /// What came over the wire is no stream.
    Stream(Malformed),
    /// It is one, of another guest.
    OtherGuest,
    /// Its writes are logged already: it is being migrated. It goes on.
    Logged,
    /// No machine can have so many pages, or so few vCPUs.
    Machine,
    /// It is a 32-bit guest, of which no stream is written here. It goes on.
    Width,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Failed::Stream(malformed) => return write!(f, "restore: {malformed}"),
            Failed::OtherGuest => "restore: the stream is not this guest's",
            Failed::Logged => "live: the guest is being migrated already",
            Failed::Machine => "restore: no machine has so many pages, or so few vCPUs",
            Failed::Width => "save: no stream is written of a 32-bit guest: save it without one",
            Failed::StartInfo => "save: bad mfn for suspend record",
            Failed::Root => "save: a vCPU's root is not in the P2M",
            Failed::NotCanonical => "restore: start_info holds what is no PFN",
            Failed::WrongType => {
                "restore: a vCPU's root or start_info came as another kind of page"
            }
            Failed::Load => "restore: failed to set a vCPU's root",
            Failed::Pin => "restore: failed to pin a page table",
        })
    }
}

impl core::error::Error for Failed {}

impl Failed {
    /// Whether the guest was saved, so that it is the restore that failed.
    pub fn was_saved(self) -> bool {
        !matches!(self, Failed::StartInfo | Failed::Root | Failed::Logged)
    }
}

impl<B: Backend> Guest<B> {
    /// The PFN of a frame, if M2P and P2M agree on it.
    pub(super) fn resolve(&self, mfn: RawMfn) -> Option<Pfn> {
        let pfn = self.host.m2p(mfn)?;
        (self.domain.p2m(pfn)?.raw() == mfn).then_some(pfn)
    }

    /// Saves the paused guest. `register` is what the suspend hypercall was given.
    pub(super) fn save(&self, register: RawMfn) -> Result<Image, Failed> {
        self.check_register(register)?;
        let mut image = Image {
            roots: self.roots()?,
            registers: self.registers(),
            pages: Vec::with_capacity(self.domain.pages() as usize),
            shared_info: self.shared_info(),
            assists: self.domain.assisted(),
            lost: 0,
        };
        for page in (0..self.domain.pages()).filter_map(|pfn| self.page(Pfn(pfn))) {
            image.lost += u64::from(matches!(page.contents, Contents::Lost));
            image.pages.push(page);
        }
        Ok(image)
    }

    /// That the suspend hypercall was given start_info's frame.
    pub(super) fn check_register(&self, register: RawMfn) -> Result<(), Failed> {
        match self.resolve(register) {
            Some(pfn) if pfn == self.domain.start_info.pfn => Ok(()),
            _ => Err(Failed::StartInfo),
        }
    }

    /// The roots of the vCPUs.
    pub(super) fn roots(&self) -> Result<Roots, Failed> {
        let root = |cr3: u64| match cr3 {
            0 => Ok(None),
            root => self.resolve(RawMfn(root)).map(Some).ok_or(Failed::Root),
        };
        let roots = self.domain.vcpus.iter().map(|vcpu| {
            let [kernel, user] = vcpu.roots().map(|register| root(register.load(Relaxed)));
            Ok([kernel?, user?])
        });
        roots.collect()
    }

    /// The registers of the vCPUs, in which nothing is looked at.
    pub(super) fn registers(&self) -> Vec<Words> {
        let vcpus = self.domain.vcpus.iter();
        vcpus.map(|vcpu| vcpu.registers.words()).collect()
    }

    /// The words of shared_info, if any were written.
    pub(super) fn shared_info(&self) -> Option<Box<[u64]>> {
        self.host.memory.words(self.shared_info_frame())
    }

    /// The frame of a PFN, if it is one that can be saved.
    pub(super) fn frame_of(&self, pfn: Pfn) -> Option<RawMfn> {
        let mfn = self.domain.p2m(pfn)?.raw();
        self.host.frame(mfn).can_be_saved().then_some(mfn)
    }

    /// A page as it is now; `None` for a PFN without a frame.
    ///
    /// While the guest runs, the page may change under our hands, type and all. It is dirty then.
    pub(super) fn page(&self, pfn: Pfn) -> Option<Page> {
        let mfn = self.domain.p2m(pfn)?.raw();
        let frame = self.host.frame(mfn);
        let contents = match frame.live_table() {
            _ if !frame.can_be_saved() => Contents::Nothing,
            None => Contents::Data(self.host.memory.words(mfn)),
            Some(level) => match self.canonical(mfn, frame.kind()) {
                None => Contents::Lost,
                Some(entries) => Contents::Table(Table {
                    level,
                    pinned: frame.pinned(),
                    entries,
                }),
            },
        };
        Some(Page {
            pfn,
            mfn: frame.can_be_saved().then_some(mfn),
            canary: match contents {
                Contents::Data(None) => self.host.memory.read(mfn, 0),
                _ => 0,
            },
            contents,
        })
    }

    /// The entries of a table with PFNs for frames; `None` if one does not resolve.
    fn canonical(&self, table: RawMfn, kind: Type) -> Option<Box<[u64]>> {
        let xens = self.host.paging.xens(kind);
        let entry = |index| {
            if xens.contains(&index) {
                return Some(0);
            }
            let pte = Pte(self.host.memory.read(table, index));
            if !pte.present() {
                return Some(pte.0);
            }
            Some(pte.with_frame(self.resolve(pte.mfn())?.0).0)
        };
        (0..ENTRIES).map(entry).collect()
    }
}
