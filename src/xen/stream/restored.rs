//! A stream as the simulated guest.
//!
//! What was sent of a page before it was said to be none stays: so a table that a live migration drops in
//! its last round comes back as old as it was when it was sent. A page of which nothing was sent is none
//! of the guest's, unless a table names it.

use super::reader::{Page as StreamPage, Stream};
use super::records::PageType;
use super::vcpu::VcpuRecords;
use crate::backend::Backend;
use crate::scheme::{Scheme, Translate};
use crate::xen::guest::{Guest, frames_for};
use crate::xen::image::{Contents, Image, Page, Roots, Table};
use crate::xen::machine::{Config, Machine, Suspended};
use crate::xen::number::{Pfn, RawMfn};
use crate::xen::populate::Mode;
use crate::xen::restore::{Outcome, Register};
use crate::xen::save::Failed;
use alloc::boxed::Box;
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
        let pages = stream.pages().take(self.domain.pages() as usize);
        let pages = pages.map(|(pfn, page)| from_stream(pfn, self.frame_of(pfn), page));
        Ok(Image {
            pages: pages.collect(),
            roots,
            registers,
            shared_info: self.shared_info(),
            assists: first.map_or(0, VcpuRecords::assists),
            lost: 0,
        })
    }
}

fn from_stream(pfn: Pfn, mfn: Option<RawMfn>, page: &StreamPage<'_>) -> Page {
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
        None if page.kind() != PageType::XAlloc => (0, Contents::Nothing),
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
        self.hypercall_with(start_info, mode, |guest, saved| {
            let carried = carry(guest.write(&saved)?);
            if mode == Mode::Cancelled {
                return Ok(saved);
            }
            guest.image(&Stream::read(&carried).map_err(Failed::Stream)?)
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
        guest.restore(image, mode, None)?;
        Ok(Self::around(guest, config))
    }
}
