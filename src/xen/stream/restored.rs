//! A stream as the simulated guest.
//!
//! What a table names without contents gets an empty frame, as from the tools: so a table that the save
//! dropped comes back empty, and whatever it mapped is gone. But what was sent of a page before it was
//! said to be none stays: so a table that a live migration drops in its last round comes back as old as it
//! was when it was sent. A PFN that nothing names has no frame.

use super::reader::{Page as StreamPage, Stream};
use super::records::PageType;
use super::vcpu::VcpuRecords;
use crate::backend::Backend;
use crate::scheme::{Reader, Scheme, Translate};
use crate::xen::frame::Frame;
use crate::xen::guest::{Guest, RESERVED, frames_for};
use crate::xen::machine::{Config, Machine, Suspended};
use crate::xen::number::{Pfn, RawMfn};
use crate::xen::populate::Mode;
use crate::xen::pte::Pte;
use crate::xen::restore::{Outcome, Register};
use crate::xen::save::{Contents, Failed, Image, Page, Roots, Table};
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

impl<B: Backend> Guest<B> {
    /// The image that a stream of this guest's holds.
    pub(super) fn image(&self, stream: &Stream<'_>) -> Result<Image, Failed> {
        let info = &self.domain.start_info;
        let mut roots: Roots = self.domain.vcpus.iter().map(|_| [None; 2]).collect();
        let mut registers = self.registers();
        for vcpu in &stream.state().vcpus {
            let root = roots.get_mut(vcpu.id() as usize);
            *root.ok_or(Failed::OtherGuest)? = [Some(vcpu.root()), vcpu.user_root()];
            registers[vcpu.id() as usize] = vcpu.registers();
        }
        let first = stream.state().vcpus.first();
        if stream.state().pages < self.domain.pages()
            || first.map(VcpuRecords::start_info) != Some(info.pfn)
        {
            return Err(Failed::OtherGuest);
        }
        let named = named_by_tables(stream);
        let free = |mfn: &RawMfn| self.host.frame(*mfn) == Frame::FREE;
        let mut free = (RESERVED..self.host.frames()).map(RawMfn).filter(free);
        let mut pages = Vec::with_capacity(self.domain.pages() as usize);
        for (pfn, page) in stream.pages().take(self.domain.pages() as usize) {
            let allocated = match page.kind() {
                PageType::XTab | PageType::Broken => page.sent.is_some() || named.contains(&pfn),
                _ => true,
            };
            if allocated {
                // One that the guest gave up since it was sent is given a frame all the same.
                let mfn = self.domain.p2m(pfn).map(|word| word.raw());
                let mfn = mfn.or_else(|| free.next()).ok_or(Failed::OtherGuest)?;
                pages.push(from_stream(pfn, mfn, page));
            }
        }
        Ok(Image {
            pages,
            roots,
            registers,
            shared_info: self.shared_info(),
            lost: 0,
        })
    }
}

/// PFNs that a table has an entry for.
fn named_by_tables(stream: &Stream<'_>) -> BTreeSet<Pfn> {
    let is_table = |page: &&StreamPage<'_>| matches!(page.sent, Some(PageType::Table { .. }));
    let tables = stream.pages().map(|(_, page)| page).filter(is_table);
    let entries = tables.flat_map(StreamPage::words).map(Pte);
    let named = entries.filter(|entry| entry.present());
    let named = named.map(|entry| Pfn(entry.mfn().0));
    named.collect()
}

fn from_stream(pfn: Pfn, mfn: RawMfn, page: &StreamPage<'_>) -> Page {
    let words = || page.words().collect::<Box<[u64]>>();
    let (canary, contents) = match page.sent {
        // A table that was sent, and then said to be none, is what it was when it was sent; only its
        // pin is gone.
        Some(PageType::Table { level, pinned }) => {
            let table = Table {
                level,
                pinned: pinned && page.kind() == PageType::Table { level, pinned },
                entries: words(),
            };
            (0, Contents::Table(table))
        }
        _ if has_words(page) => (0, Contents::Data(Some(words()))),
        _ => (page.words().next().unwrap_or(0), Contents::Data(None)),
    };
    Page {
        pfn,
        mfn,
        canary,
        contents,
    }
}

/// Whether a page has more than a first word.
fn has_words(page: &StreamPage<'_>) -> bool {
    page.words().skip(1).any(|word| word != 0)
}

impl<B: Backend, W: Translate> Suspended<'_, '_, B, W> {
    /// As [`hypercall`](Self::hypercall), by way of a stream: the guest is written to one, `carry`
    /// brings it to the other side, and the guest that came out there is restored.
    ///
    /// Costs a copy of every page, two if `carry` makes one.
    ///
    /// # Errors
    /// As [`hypercall`](Self::hypercall); and [`Failed::Stream`] or [`Failed::OtherGuest`] if what
    /// came out is not what went in.
    pub fn hypercall_by(
        &mut self,
        start_info: Register,
        mode: Mode,
        carry: impl FnOnce(Vec<u8>) -> Vec<u8>,
    ) -> Result<Outcome, Failed> {
        let guest = self.cpu.guest;
        let _paused = self.cpu.runs.suspend();
        guest.look_around();
        guest.suspended_with(start_info);
        let saved = guest.save(start_info.raw())?;
        let carried = carry(guest.write(&saved)?);
        if mode == Mode::Cancelled {
            return Ok(Outcome::Cancelled);
        }
        let stream = Stream::read(&carried).map_err(Failed::Stream)?;
        guest.restore(&guest.image(&stream)?, mode, None)?;
        Ok(Outcome::Resumed {
            lost_tables: saved.lost,
        })
    }
}

impl<B: Backend, S: Scheme<B>> Machine<B, S> {
    /// A machine with the guest of a stream: one that real Xen saved, for example.
    ///
    /// The guest has survived a suspend; its vCPUs' roots are loaded, and belong to whoever brings a
    /// vCPU online first, second and so on.
    ///
    /// # Errors
    /// [`Failed`]: those of a restore, and [`Failed::Machine`].
    pub fn restored(stream: &Stream<'_>, vcpus: usize, mode: Mode) -> Result<Self, Failed> {
        let state = stream.state();
        let config = Config::new(state.pages, vcpus);
        let contents = stream.pages().filter(|(_, page)| has_words(page)).count();
        let guest = Guest::new(config, frames_for(config), contents as u64);
        let mut guest = guest.map_err(|_| Failed::Machine)?;
        let first = state.vcpus.first().ok_or(Failed::OtherGuest)?;
        guest.domain.start_info.pfn = first.start_info();
        guest.domain.carried = Some(state.owned());
        let image = guest.image(stream)?;
        guest.restore(&image, mode, None)?;
        Ok(Self::around(guest, config))
    }
}
