//! Save, as the tools do it: every present entry of every page table in use becomes a PFN.
//!
//! What is canonicalised: entries of pages that *are* page tables at that moment, present ones only;
//! the vCPUs' roots; the register that names start_info. What is not: everything else. An entry that
//! does not resolve (its frame has no PFN, or that PFN another frame) makes the tools drop the
//! **whole table** and say nothing: it comes back empty. Observed on Xen 4.17.

use super::guest::Guest;
use super::number::{ENTRIES, Pfn, RawMfn};
use super::pte::Pte;
use super::stream::Malformed;
use super::validate::XEN_SLOTS;
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
    /// A root did not pass validation on the other side: "Failed to set vcpu0's basic info".
    Load,
    /// A pinned table did not: "Failed to pin batch of pagetables".
    Pin,
    /// What came over the wire is no stream.
    Stream(Malformed),
    /// It is one, of another guest.
    OtherGuest,
    /// No machine can have so many pages, or so few vCPUs.
    Machine,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Failed::Stream(malformed) => return write!(f, "restore: {malformed}"),
            Failed::OtherGuest => "restore: the stream is not this guest's",
            Failed::Machine => "restore: no machine has so many pages, or so few vCPUs",
            Failed::StartInfo => "save: bad mfn for suspend record",
            Failed::Root => "save: a vCPU's root is not in the P2M",
            Failed::NotCanonical => "restore: start_info holds what is no PFN",
            Failed::Load => "restore: failed to set a vCPU's root",
            Failed::Pin => "restore: failed to pin a page table",
        })
    }
}

impl core::error::Error for Failed {}

/// A page in the image.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) pfn: Pfn,
    /// Where it was, to be let go.
    pub(super) mfn: RawMfn,
    pub(super) canary: u64,
    pub(super) table: Option<Table>,
    /// The words of a page that is no table, as they are, if any were written.
    pub(super) data: Option<Box<[u64]>>,
}

/// A page table in the image: canonical entries.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) level: u32,
    pub(super) pinned: bool,
    pub(super) entries: Box<[u64]>,
}

/// A saved guest.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) pages: Vec<Page>,
    /// By vCPU slot: the kernel's root and the user's; `None` where there is none.
    pub(super) roots: Vec<[Option<Pfn>; 2]>,
    /// Tables that were dropped whole.
    pub(super) lost: u64,
}

impl<B: Backend> Guest<B> {
    /// The PFN of a frame, if M2P and P2M agree on it.
    pub(super) fn resolve(&self, mfn: RawMfn) -> Option<Pfn> {
        let pfn = self.host.m2p(mfn)?;
        (self.domain.p2m(pfn)?.raw() == mfn).then_some(pfn)
    }

    /// Saves the paused guest. `register` is what the suspend hypercall was given.
    pub(super) fn save(&self, register: RawMfn) -> Result<Image, Failed> {
        let domain = &self.domain;
        if self.resolve(register) != Some(domain.start_info.pfn) {
            return Err(Failed::StartInfo);
        }
        let root = |cr3: u64| match cr3 {
            0 => Ok(None),
            root => self.resolve(RawMfn(root)).map(Some).ok_or(Failed::Root),
        };
        let roots = domain.vcpus.iter().map(|vcpu| {
            let [kernel, user] = vcpu.roots().map(|register| root(register.load(Relaxed)));
            Ok([kernel?, user?])
        });
        let mut image = Image {
            roots: roots.collect::<Result<_, _>>()?,
            pages: Vec::with_capacity(domain.pages() as usize),
            lost: 0,
        };
        for pfn in (0..domain.pages()).map(Pfn) {
            let Some(word) = domain.p2m(pfn) else {
                continue;
            };
            let mfn = word.raw();
            let frame = self.host.frame(mfn);
            let table = frame.live_table().and_then(|level| {
                let entries = self.canonical(mfn, level);
                image.lost += u64::from(entries.is_none());
                entries.map(|entries| Table {
                    level,
                    pinned: frame.pinned(),
                    entries,
                })
            });
            image.pages.push(Page {
                pfn,
                mfn,
                canary: self.host.memory.canary(mfn).load(Relaxed),
                table,
                data: match frame.live_table() {
                    None => self.host.memory.words(mfn),
                    Some(_) => None,
                },
            });
        }
        Ok(image)
    }

    /// The entries of a table with PFNs for frames; `None` if one does not resolve.
    fn canonical(&self, table: RawMfn, level: u32) -> Option<Box<[u64]>> {
        let entry = |index| {
            if level == 4 && XEN_SLOTS.contains(&index) {
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
