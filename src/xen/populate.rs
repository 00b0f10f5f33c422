//! Which frames a restored guest gets: where a stale MFN points afterwards depends on it.

use super::frame::{Frame, Owner};
use super::guest::{Guest, RESERVED};
use super::image::Image;
use super::number::RawMfn;
use crate::backend::Backend;
use alloc::vec::Vec;

/// Which frames a restored guest gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// All fresh, as on another machine: a stale MFN names a frame that is nobody's. Two windows of
    /// frames are used in turn.
    Fresh,
    /// Its own, exchanged so that no page keeps its frame, but for a few that go to another domain or
    /// to nobody: a stale MFN names *another page of the guest's*, and Xen says nothing. Data and
    /// tables stand in for each other in all four ways, as far as there are tables.
    Deranged {
        /// Seed of the exchange.
        seed: u64,
    },
    /// None: the suspend is cancelled, and no MFN changes.
    Cancelled,
}

impl<B: Backend> Guest<B> {
    /// Takes every frame of the guest's away, and gives it others.
    pub(super) fn populate(&self, image: &Image, mode: Mode) -> Vec<RawMfn> {
        let moved = match mode {
            // Nobody restores a guest whose suspend was cancelled; as one that was saved, it is like others.
            Mode::Fresh | Mode::Cancelled => self.fresh(image),
            Mode::Deranged { seed } => self.deranged(image, seed),
        };
        // The guest's all, those that have no PFN included, and what another domain had of them.
        let left = (RESERVED..self.host.frames())
            .map(RawMfn)
            .filter(|m| self.host.frame(*m).owner() != Owner::Free);
        left.for_each(|mfn| self.host.release(mfn));
        for (page, mfn) in image.pages.iter().zip(&moved) {
            // A free frame keeps what was in it; the tools get theirs scrubbed.
            self.host.memory.clear(*mfn);
            self.host.give(*mfn, Some(page.pfn));
        }
        if matches!(mode, Mode::Deranged { .. }) {
            // Of the frames let go, every other one is another domain's now.
            let left = image.pages.iter().filter_map(|p| p.mfn);
            let left = left.filter(|m| self.host.frame(*m) == Frame::FREE);
            for mfn in left.step_by(2) {
                self.host.assign(mfn, Frame::given(Owner::Foreign));
            }
        }
        moved
    }

    /// The frames that none of the saved pages had, lowest first.
    fn others(&self, image: &Image) -> impl Iterator<Item = RawMfn> {
        let mut had = alloc::vec![false; self.host.frames() as usize];
        for mfn in image.pages.iter().filter_map(|page| page.mfn) {
            had[mfn.0 as usize] = true;
        }
        (RESERVED..self.host.frames())
            .map(RawMfn)
            .filter(move |mfn| !had[mfn.0 as usize])
    }

    /// The window that the guest is not in; frames left there by a derangement are skipped, and made
    /// up for.
    fn fresh(&self, image: &Image) -> Vec<RawMfn> {
        self.others(image).take(image.pages.len()).collect()
    }

    /// Its own frames, exchanged along one cycle, so that none stays; one in 64 replaced. A page that had
    /// none of its own (nothing, or that of another PFN) gets another one.
    fn deranged(&self, image: &Image, seed: u64) -> Vec<RawMfn> {
        let pages = &image.pages;
        let mut seen = alloc::vec![false; self.host.frames() as usize];
        let mut first = |at: &usize| {
            let mfn = pages[*at].mfn;
            mfn.is_some_and(|mfn| !core::mem::replace(&mut seen[mfn.0 as usize], true))
        };
        let mut order: Vec<usize> = (0..pages.len()).filter(&mut first).collect();
        shuffle(&mut order, seed);
        // Two tables, two data pages, the rest, a data page: what is at a page's old frame afterwards
        // is then a table for a table, a table for data, data for data, and data for a table.
        let (tables, data): (Vec<usize>, Vec<usize>) = order
            .into_iter()
            .partition(|at| pages[*at].table().is_some());
        let (first_tables, tables) = tables.split_at(tables.len().min(2));
        let (first_data, data) = data.split_at(data.len().min(2));
        let (rest, last) = data.split_at(data.len().saturating_sub(1));
        let mut middle = [tables, rest].concat();
        shuffle(&mut middle, !seed);
        let order = [first_tables, first_data, &middle, last].concat();
        let mut moved = alloc::vec![None; pages.len()];
        for (from, to) in order.iter().zip(order.iter().cycle().skip(1)) {
            moved[*from] = pages[*to].mfn;
        }
        let mut others = self.others(image);
        for at in order.iter().skip(8).step_by(64) {
            moved[*at] = None;
        }
        let moved = moved.into_iter().map(|mfn| mfn.or_else(|| others.next()));
        // There is one for each: a machine has twice the guest's frames.
        moved.flatten().collect()
    }
}

/// Fisher-Yates by SplitMix64.
fn shuffle(items: &mut [usize], seed: u64) {
    let mut state = seed;
    for end in (1..items.len()).rev() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let random = z ^ (z >> 31);
        items.swap(end, (random % (end as u64 + 1)) as usize);
    }
}
