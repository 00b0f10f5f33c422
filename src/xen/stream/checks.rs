//! What can be checked only when all is known: that whatever names a page names one of the right kind.
//!
//! Xen's own restore finds the same, when it is too late to keep the guest.

use super::cursor::Cursor;
use super::malformed::{Fault, Malformed, Part};
use super::reader::{Page, Reader, Stream};
use super::records::{Kind, PageType};
use super::vcpu::{GDT_ENTRIES, VcpuRecords};
use crate::xen::number::{PAGE_SHIFT, Pfn};
use crate::xen::pte::Pte;
use crate::xen::start_info::{CONSOLE, STORE};
use alloc::collections::BTreeSet;

impl<'a> Stream<'a> {
    /// That `pfn` is a page of the right type.
    fn names(
        &self,
        what: &'static str,
        pfn: Pfn,
        wanted: &'static str,
        right: impl FnOnce(PageType) -> bool,
    ) -> Result<&Page<'a>, Fault> {
        let (pages, Pfn(number)) = (self.state.pages, pfn);
        let page = self.pages.get(&pfn).ok_or(Fault::OutOfRange {
            what,
            pfn: number,
            pages,
        })?;
        if right(page.kind) {
            return Ok(page);
        }
        Err(Fault::WrongType {
            what,
            pfn: number,
            wanted,
        })
    }

    fn data(&self, what: &'static str, pfn: Pfn) -> Result<&Page<'a>, Fault> {
        self.names(what, pfn, "a page of data", |kind| kind == PageType::NoTab)
    }

    fn root(&self, what: &'static str, register: u64, low: u64) -> Result<(), Fault> {
        if register & ((1 << PAGE_SHIFT) - 1) != low {
            return Err(Fault::Field {
                name: what,
                found: register,
                wanted: "a PFN shifted by 12, and bit 0 set for a user root",
            });
        }
        let is_root = |kind| matches!(kind, PageType::Table { level: 4, .. });
        let pfn = Pfn(register >> PAGE_SHIFT);
        self.names(what, pfn, "a root", is_root).map(drop)
    }

    fn vcpu(&self, vcpu: &VcpuRecords<'a>) -> Result<(), Fault> {
        self.root("the root (cr3)", vcpu.cr3(), 0)?;
        if vcpu.cr1() != 0 {
            self.root("the user root (cr1)", vcpu.cr1(), 1)?;
        }
        if vcpu.gdt_entries() > GDT_ENTRIES {
            return Err(Fault::Field {
                name: "number of GDT entries",
                found: vcpu.gdt_entries(),
                wanted: "7168 at most",
            });
        }
        for pfn in vcpu.gdt() {
            self.data("a frame of the GDT", pfn)?;
        }
        if vcpu.id == 0 {
            let info = self.data("start_info (rdx)", vcpu.start_info())?;
            let word = |at| Pfn(info.words().nth(at).unwrap_or(u64::MAX));
            self.data("the store's ring", word(STORE))?;
            self.data("the console's ring", word(CONSOLE))?;
        }
        Ok(())
    }

    fn p2m(&self) -> Result<(), Fault> {
        let mut seen = BTreeSet::new();
        for pfn in &self.state.p2m_frames {
            self.data("a page of the P2M list", *pfn)?;
            if !seen.insert(*pfn) {
                return Err(Fault::WrongType {
                    what: "a page of the P2M list",
                    pfn: pfn.0,
                    wanted: "used once",
                });
            }
        }
        Ok(())
    }

    /// The first entry of a table that is present, and whose page cannot have a frame. (A PFN without
    /// one is given one: that is how a table which the save dropped comes back, empty.)
    fn dangling(&self, page: &Page<'a>) -> Option<(usize, u64)> {
        let names_a_page = |pte: Pte| {
            let page = self.pages.get(&Pfn(pte.mfn().0));
            page.is_some_and(|page| page.kind != PageType::Broken)
        };
        let dangles = |entry: &(usize, u64)| {
            let pte = Pte(entry.1);
            pte.present() && !names_a_page(pte)
        };
        page.words().enumerate().find(dangles)
    }
}

impl<'a> Reader<'a> {
    /// The checks of a whole set of records.
    pub(super) fn check(&self, body: &Cursor<'a>) -> Result<(), Malformed> {
        self.vcpu_is_complete(body)?;
        let stream = &self.stream;
        if let Some(p2m) = &self.p2m {
            stream.p2m().map_err(|fault| p2m.fault(fault))?;
        }
        for (vcpu, start) in stream.state.vcpus.iter().zip(&self.vcpus) {
            stream.vcpu(vcpu).map_err(|fault| start.fault(fault))?;
        }
        let tables = stream.pages();
        let tables = tables.filter(|(_, page)| matches!(page.kind, PageType::Table { .. }));
        for (pfn, page) in tables {
            let Some((index, entry)) = stream.dangling(page) else {
                continue;
            };
            return Err(Malformed {
                part: Part::Record {
                    index: page.record,
                    number: Some(Kind::PageData as u32),
                },
                at: page.at + 8 * index,
                fault: Fault::Entry {
                    table: pfn.0,
                    index,
                    entry,
                },
            });
        }
        Ok(())
    }
}
