//! The simulated guest as a stream, and a stream as a guest.
//!
//! What the simulator has, it writes: pages, tables, P2M, start_info, roots. What it does not look into
//! (registers, policies, clocks, shared_info) a restored guest carries along as it came, and a guest
//! born here has as zeros. Such a guest keeps its P2M outside its pages; its stream gets pages for the
//! list after the last one, of frames that the machine does not have.
//!
//! A data page's first word is its canary. A user root is carried, and holds no reference here.

use super::checks::{CONSOLE, STORE};
use super::reader::{Page as StreamPage, Stream};
use super::records::{PAGE_SIZE, PER_FRAME, PageType};
use super::state::{NONE, State, own};
use super::vcpu::VcpuRecords;
use crate::backend::{Atomic, Backend};
use crate::scheme::{Reader, Scheme, Translate};
use crate::xen::machine::{Config, Guest, Machine, Suspended};
use crate::xen::number::{INVALID, Pfn, RawMfn};
use crate::xen::pte::Pte;
use crate::xen::restore::{Mode, Outcome, Register};
use crate::xen::save::{Failed, Image, Page, Table};
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::sync::atomic::Ordering::Relaxed;

/// The words of start_info that hold how many pages there are, and shared_info's machine address.
const NR_PAGES: usize = 4;
const SHARED_INFO: usize = 5;
/// Where shared_info has `arch.max_pfn`.
const MAX_PFN: usize = 3088;

impl<B: Backend> Guest<B> {
    /// What its stream says besides its pages.
    fn state(&self, image: &Image) -> Result<State<'static>, Failed> {
        let mut state = match &self.domain.carried {
            Some(carried) => carried.clone(),
            None => self.born_here(),
        };
        let start_info = self.domain.start_info.pfn;
        let carried = core::mem::take(&mut state.vcpus);
        let online = (0..).zip(&image.roots);
        let online = online.filter_map(|(id, root)| root.map(|root| (id, root)));
        for (id, root) in online {
            let before = carried.iter().find(|vcpu| vcpu.id() == id);
            let mut vcpu = match before {
                Some(before) => before.clone(),
                None => VcpuRecords::new(id, root, (id == 0).then_some(start_info)),
            };
            vcpu.set_root(root);
            state.vcpus.push(vcpu);
        }
        // The tools refuse a guest whose first vCPU has none.
        let first = state.vcpus.first().filter(|vcpu| vcpu.id() == 0);
        first.is_some().then_some(state).ok_or(Failed::Root)
    }

    fn born_here(&self) -> State<'static> {
        let own_pages = self.domain.pages();
        // The list covers its own pages too.
        let list = own_pages.div_ceil(PER_FRAME - 1);
        let pages = own_pages + list;
        let mut shared_info = [0; PAGE_SIZE];
        shared_info[MAX_PFN..MAX_PFN + 8].copy_from_slice(&pages.to_le_bytes());
        State {
            version: 3,
            xen: [4, 17],
            cpuid: NONE,
            msr: NONE,
            pages,
            p2m_frames: (own_pages..pages).map(Pfn).collect(),
            tsc: own(&[0; 24]),
            shared_info: own(&shared_info),
            vcpus: Vec::new(),
        }
    }

    /// The stream of a saved image.
    fn write(&self, image: &Image) -> Result<Vec<u8>, Failed> {
        let state = self.state(image)?;
        let mut list = state.p2m_frames.iter().zip(0..).collect::<Vec<_>>();
        list.sort_unstable();
        let mut list = list.into_iter().peekable();
        let mut saved = image.pages.iter().peekable();
        Ok(state.write(|pfn, to| {
            let words = to.as_chunks_mut::<8>().0;
            let mut put = |index: usize, word: u64| words[index] = word.to_le_bytes();
            let page = saved.next_if(|page| page.pfn == pfn);
            let kind = page.map_or(PageType::XTab, |page| self.put_page(page, &mut put));
            let Some((_, nth)) = list.next_if(|(frame, _)| **frame == pfn) else {
                return kind;
            };
            let covered = nth * PER_FRAME..state.pages.min((nth + 1) * PER_FRAME);
            for (index, pfn) in covered.map(Pfn).enumerate() {
                put(index, self.listed(pfn));
            }
            PageType::NoTab
        }))
    }

    /// What the P2M list says of a PFN.
    fn listed(&self, pfn: Pfn) -> u64 {
        match pfn.0.checked_sub(self.domain.pages()) {
            Some(beyond) => self.host.frames() + beyond,
            None => self.domain.p2m(pfn).map_or(INVALID, |word| word.raw().0),
        }
    }

    fn put_page(&self, page: &Page, mut put: impl FnMut(usize, u64)) -> PageType {
        if let Some(table) = &page.table {
            for (index, entry) in table.entries.iter().enumerate() {
                put(index, *entry);
            }
            return PageType::Table {
                level: table.level,
                pinned: table.pinned,
            };
        }
        if self.host.frame(page.mfn).live_table().is_some() {
            // Dropped: the tools say that there is no such page.
            return PageType::XTab;
        }
        for index in 0..PAGE_SIZE / 8 {
            put(index, self.host.memory.read(page.mfn, index));
        }
        if page.canary != 0 {
            put(0, page.canary);
        }
        let info = &self.domain.start_info;
        if page.pfn == info.pfn {
            put(NR_PAGES, self.domain.pages());
            put(SHARED_INFO, info.shared_info.load(Relaxed));
            put(STORE, info.store.load(Relaxed));
            put(CONSOLE, info.console.load(Relaxed));
        }
        PageType::NoTab
    }

    /// The image that a stream of this guest's holds; start_info is set as it says.
    fn image(&self, stream: &Stream<'_>) -> Result<Image, Failed> {
        let info = &self.domain.start_info;
        let mut roots: Vec<Option<Pfn>> = self.domain.vcpus.iter().map(|_| None).collect();
        for vcpu in &stream.state().vcpus {
            let root = roots.get_mut(vcpu.id() as usize);
            *root.ok_or(Failed::OtherGuest)? = Some(vcpu.root());
        }
        let first = stream.state().vcpus.first();
        if stream.state().pages < self.domain.pages()
            || first.map(VcpuRecords::start_info) != Some(info.pfn)
        {
            return Err(Failed::OtherGuest);
        }
        let named = named_without_contents(stream);
        let mut pages = Vec::with_capacity(self.domain.pages() as usize);
        for (pfn, page) in stream.pages().take(self.domain.pages() as usize) {
            if page.kind().has_contents() || page.kind() == PageType::XAlloc || named.contains(&pfn)
            {
                let mfn = self.domain.p2m(pfn).ok_or(Failed::OtherGuest)?.raw();
                pages.push(from_stream(pfn, mfn, page));
            }
        }
        let words = stream
            .page(info.pfn)
            .into_iter()
            .flat_map(StreamPage::words);
        let words: Vec<u64> = words.collect();
        for (ring, at) in info.rings().into_iter().zip([STORE, CONSOLE]) {
            ring.store(*words.get(at).ok_or(Failed::OtherGuest)?, Relaxed);
        }
        Ok(Image {
            pages,
            roots,
            lost: 0,
        })
    }
}

/// PFNs that come without contents, and get an empty frame because a table has an entry for them.
fn named_without_contents(stream: &Stream<'_>) -> BTreeSet<Pfn> {
    let is_table = |page: &&StreamPage<'_>| matches!(page.kind(), PageType::Table { .. });
    let tables = stream.pages().map(|(_, page)| page).filter(is_table);
    let entries = tables.flat_map(StreamPage::words).map(Pte);
    let named = entries.filter(|entry| entry.present());
    let named = named.map(|entry| Pfn(entry.mfn().0));
    let empty = |pfn: &Pfn| {
        stream
            .page(*pfn)
            .is_some_and(|p| p.kind() == PageType::XTab)
    };
    named.filter(empty).collect()
}

fn from_stream(pfn: Pfn, mfn: RawMfn, page: &StreamPage<'_>) -> Page {
    let words = || page.words().collect::<Box<[u64]>>();
    let table = match page.kind() {
        PageType::Table { level, pinned } => Some(Table {
            level,
            pinned,
            entries: words(),
        }),
        _ => None,
    };
    let is_data = table.is_none();
    Page {
        pfn,
        mfn,
        canary: page.words().next().filter(|_| is_data).unwrap_or(0),
        words: (is_data && has_words(page)).then(words),
        table,
    }
}

/// Whether a page has more than a canary.
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
        let saved = guest.save(start_info.raw())?;
        let carried = carry(guest.write(&saved)?);
        if mode == Mode::Cancelled {
            return Ok(Outcome::Cancelled);
        }
        let stream = Stream::read(&carried).map_err(Failed::Stream)?;
        guest.restore(&guest.image(&stream)?, mode)?;
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
        let guest = Guest::new(config, contents as u64);
        let mut guest = guest.map_err(|_| Failed::Machine)?;
        let first = state.vcpus.first().ok_or(Failed::OtherGuest)?;
        guest.domain.start_info.pfn = first.start_info();
        guest.domain.carried = Some(state.owned());
        let image = guest.image(stream)?;
        guest.restore(&image, mode)?;
        Ok(Self::around(guest, config))
    }
}
