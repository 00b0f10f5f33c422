//! The P2M's frame list: by what somebody outside, who reads a guest's memory, finds its P2M.
//!
//! shared_info names a page, the list of lists; that names the lists, and these the pages of the P2M, each of
//! which has 512 words. All of it is MFNs in plain memory, which no hold keeps true and no tool
//! translates. So after a restore it is made anew; until then shared_info names none, since the
//! restorer clears that word.
//!
//! The simulated guest's P2M lies outside its pages. Those that a real one needs it has all the same,
//! and nothing in them.
//!
//! Source: `pfn_to_mfn_frame_list_list` in Xen's `public/arch-x86/xen.h`; Linux `xen_build_mfn_list_list`,
//! which `xen_post_suspend` has made again.

use super::PmapError;
use super::kernel::Kernel;
use crate::backend::Backend;
use crate::xen::shared_info::P2M_FRAME_LIST;
use crate::xen::{Access, Pfn};

/// Words of a page.
const WORDS: u64 = 512;

/// The pages of the list, one after another: the list of lists, the lists, the P2M.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameList {
    first: Pfn,
    lists: u64,
    p2m: u64,
}

impl FrameList {
    /// That of a guest of so many pages, from `first` on.
    pub(crate) const fn new(first: Pfn, pages: u64) -> Self {
        let p2m = pages.div_ceil(WORDS);
        let lists = p2m.div_ceil(WORDS);
        Self { first, lists, p2m }
    }

    /// How many pages it takes.
    pub(crate) const fn pages(&self) -> u64 {
        1 + self.lists + self.p2m
    }

    /// The list of lists.
    pub(super) fn first(&self) -> Pfn {
        self.first
    }

    /// Page by page: each list with what it names.
    fn named(&self) -> impl Iterator<Item = (Pfn, usize, Pfn)> {
        let (first, lists) = (self.first.0, self.lists);
        let place = |at: u64| (at / WORDS, (at % WORDS) as usize);
        (0..lists + self.p2m).map(move |at| {
            let (list, word) = match at.checked_sub(lists) {
                None => (0, at as usize),
                Some(at) => (1 + place(at).0, place(at).1),
            };
            (Pfn(first + list), word, Pfn(first + 1 + at))
        })
    }
}

impl<B: Backend> Kernel<B> {
    /// Writes the list as it is in this incarnation, and has shared_info name it. Costs a store for every 512
    /// pages of the guest.
    pub(crate) fn build_frame_list(&self, access: Access<'_, B>) -> Result<(), PmapError> {
        let mfn = |pfn| {
            let mfn = access.mfn(pfn).ok_or(PmapError::Nothing);
            mfn.map(|mfn| mfn.raw().0)
        };
        for (list, index, named) in self.frame_list.named() {
            access.write(list, index, mfn(named)?);
        }
        let word = self.layout.shared_info().canonical() + 8 * P2M_FRAME_LIST as u64;
        let stored = access.raw().store(word, 8, mfn(self.frame_list.first())?);
        stored.map_err(|_| PmapError::Nothing)
    }
}
