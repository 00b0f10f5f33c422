//! The simulated guest as a stream.
//!
//! What the simulator has, it writes: pages, tables, P2M, start_info, roots, registers. What it does not
//! look into (the rest of a vCPU's context, policies, clocks, shared_info) a restored guest carries along
//! as it came, and a guest born here has as zeros. Such a guest keeps its P2M outside its pages; its stream gets pages for the
//! list after the last one, of frames that the machine does not have.
//!
//! A data page's first word is its canary.

use super::records::{PAGE_SIZE, PER_FRAME, PageType};
use super::state::{NONE, State, own};
use super::vcpu::VcpuRecords;
use crate::backend::Backend;
use crate::xen::guest::Guest;
use crate::xen::image::{Contents, Image, Page, Roots};
use crate::xen::number::{INVALID, Pfn};
use crate::xen::paging::Paging;
use crate::xen::save::Failed;
use alloc::vec::Vec;
use core::ops::Range;

/// Where shared_info has `arch.max_pfn`.
const MAX_PFN: usize = 3088;

impl<B: Backend> Guest<B> {
    /// What its stream says besides its pages and its vCPUs.
    pub(super) fn static_state(&self) -> State<'static> {
        match &self.domain.carried {
            Some(carried) => carried.clone(),
            None => self.born_here(),
        }
    }

    /// The same with its vCPUs.
    pub(super) fn with_vcpus(
        &self,
        mut state: State<'static>,
        roots: &Roots,
    ) -> Result<State<'static>, Failed> {
        if self.host.paging != Paging::FourLevels {
            return Err(Failed::Width);
        }
        let start_info = self.domain.start_info.pfn;
        let registers = self.registers();
        let carried = core::mem::take(&mut state.vcpus);
        let online = (0..).zip(roots);
        let online = online.filter_map(|(id, [root, user])| root.map(|root| (id, root, user)));
        for (id, root, user) in online {
            let before = carried.iter().find(|vcpu| vcpu.id() == id);
            let mut vcpu = match before {
                Some(before) => before.clone(),
                None => VcpuRecords::new(id, root, (id == 0).then_some(start_info)),
            };
            vcpu.set_registers(&registers[id as usize]);
            vcpu.set_root(root);
            vcpu.set_user_root(*user);
            vcpu.set_assists(self.domain.assisted());
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
    pub(super) fn write(&self, image: &Image) -> Result<Vec<u8>, Failed> {
        let state = self.with_vcpus(self.static_state(), &image.roots)?;
        let list = P2mList::of(&state);
        let mut saved = image.pages.iter().peekable();
        Ok(state.write(|pfn, to| {
            let page = saved.next_if(|page| page.pfn == pfn);
            self.put(&list, pfn, page, to)
        }))
    }

    /// Writes the contents of a PFN, whose page is `page` if it has a frame.
    pub(super) fn put(
        &self,
        list: &P2mList,
        pfn: Pfn,
        page: Option<&Page>,
        to: &mut [u8; PAGE_SIZE],
    ) -> PageType {
        let words = to.as_chunks_mut::<8>().0;
        let mut put = |index: usize, word: u64| words[index] = word.to_le_bytes();
        let kind = page.map_or(PageType::XTab, |page| self.put_page(page, &mut put));
        let Some(covered) = list.covered(pfn) else {
            return kind;
        };
        for (index, pfn) in covered.map(Pfn).enumerate() {
            put(index, self.listed(pfn));
        }
        PageType::NoTab
    }

    /// What the P2M list says of a PFN.
    fn listed(&self, pfn: Pfn) -> u64 {
        match pfn.0.checked_sub(self.domain.pages()) {
            Some(beyond) => self.host.frames() + beyond,
            None => self.domain.p2m(pfn).map_or(INVALID, |word| word.raw().0),
        }
    }

    fn put_page(&self, page: &Page, mut put: impl FnMut(usize, u64)) -> PageType {
        match &page.contents {
            Contents::Table(table) => {
                for (index, entry) in table.entries.iter().enumerate() {
                    put(index, *entry);
                }
                return PageType::Table {
                    level: table.level,
                    pinned: table.pinned,
                };
            }
            // The tools say that there is no such page.
            Contents::Lost | Contents::Nothing => return PageType::XTab,
            Contents::Data(words) => {
                for (index, word) in words.iter().flatten().enumerate() {
                    put(index, *word);
                }
            }
        }
        if page.canary != 0 {
            put(0, page.canary);
        }
        PageType::NoTab
    }
}

/// The pages that hold the P2M list, and what each covers.
#[derive(Debug)]
pub(super) struct P2mList {
    /// Ascending by PFN, with their places in the list.
    frames: Vec<(Pfn, u64)>,
    /// PFNs that the list covers.
    pages: u64,
}

impl P2mList {
    pub(super) fn of(state: &State<'_>) -> Self {
        let mut frames: Vec<_> = state.p2m_frames.iter().copied().zip(0..).collect();
        frames.sort_unstable();
        Self {
            frames,
            pages: state.pages,
        }
    }

    /// The PFNs that a page of the list covers; `None` if it is no such page.
    fn covered(&self, pfn: Pfn) -> Option<Range<u64>> {
        let at = self.frames.binary_search_by_key(&pfn, |(pfn, _)| *pfn);
        let (_, nth) = self.frames[at.ok()?];
        Some(nth * PER_FRAME..self.pages.min((nth + 1) * PER_FRAME))
    }
}
