//! Restore: every page gets another frame, and every canonical entry that frame's number.
//!
//! In the tools' order: frames, contents, P2M and M2P; then the vCPUs' roots are loaded, then the
//! pinned tables are pinned in ascending PFN order, each being validated as it is. Where a stale MFN
//! points afterwards depends on the [`Mode`].

use super::frame::{Frame, Owner};
use super::hypercall::maddr;
use super::machine::{Guest, Mmu, RESERVED, SHARED_INFO, Suspended};
use super::number::{Mfn, Pfn, RawMfn};
use super::pte::Pte;
use super::save::{Failed, Image, Page};
use super::shared_info;
use crate::backend::{Atomic, Backend};
use crate::scheme::{Reader, Translate};
use alloc::vec::Vec;
use core::sync::atomic::Ordering::Relaxed;

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

/// What the suspend hypercall returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a cancelled suspend must be undone, a resumed guest rebuilt"]
pub enum Outcome {
    /// 0: the guest runs on other frames.
    Resumed {
        /// Page tables that came back empty.
        lost_tables: u64,
    },
    /// 1: nothing changed.
    Cancelled,
}

/// An MFN in a register: no hold is needed to keep it, and none makes it true.
#[derive(Clone, Copy, Debug)]
pub struct Register(RawMfn);

impl Register {
    pub(super) fn raw(self) -> RawMfn {
        self.0
    }
}

impl<'h> From<Mfn<'h>> for Register {
    fn from(mfn: Mfn<'h>) -> Self {
        Register(mfn.raw())
    }
}

impl<B: Backend, W: Translate> Suspended<'_, '_, B, W> {
    /// start_info's MFN, as the suspend hypercall wants it; `None` if it has no frame.
    pub fn start_info(&self) -> Option<Register> {
        let hold = self.hold();
        let mfn = hold.mfn(self.cpu.guest.domain.start_info.pfn)?;
        Some(Register::from(mfn))
    }

    /// start_info's rings become PFNs, by the M2P: what the tools expect in an image.
    pub fn canonicalise_rings(&self) {
        let guest = self.cpu.guest;
        for ring in guest.domain.start_info.rings() {
            if let Some(pfn) = guest.host.m2p(RawMfn(ring.load(Relaxed))) {
                ring.store(pfn.0, Relaxed);
            }
        }
    }

    /// start_info's rings become MFNs again, after a cancelled suspend.
    pub fn localise_rings(&self) {
        let domain = &self.cpu.guest.domain;
        for ring in domain.start_info.rings() {
            if let Some(word) = domain.p2m(Pfn(ring.load(Relaxed))) {
                ring.store(word.raw().0, Relaxed);
            }
        }
    }

    /// `SCHEDOP_shutdown(SHUTDOWN_suspend)`: pauses every vCPU, and returns in the next incarnation.
    ///
    /// # Errors
    /// [`Failed`], with the guest as it was if it could not be saved, and in pieces if it could not
    /// be restored.
    pub fn hypercall(&mut self, start_info: Register, mode: Mode) -> Result<Outcome, Failed> {
        let guest = self.cpu.guest;
        // Whoever is in Xen gets out first; nobody gets in until the guard is dropped.
        let _paused = self.cpu.runs.suspend();
        let image = guest.save(start_info.0)?;
        if mode == Mode::Cancelled {
            return Ok(Outcome::Cancelled);
        }
        guest.restore(&image, mode)?;
        Ok(Outcome::Resumed {
            lost_tables: image.lost,
        })
    }
}

impl<B: Backend> Guest<B> {
    pub(super) fn restore(&self, image: &Image, mode: Mode) -> Result<(), Failed> {
        self.domain.begin_restore();
        self.forget_others(image);
        let moved = self.populate(image, mode);
        for (page, mfn) in image.pages.iter().zip(&moved) {
            self.domain.set_p2m(page.pfn, *mfn);
        }
        for (page, mfn) in image.pages.iter().zip(&moved) {
            self.host.memory.canary(*mfn).store(page.canary, Relaxed);
            self.localise(page, *mfn);
        }
        let localised = self.localise_start_info();
        let validated = self.load_roots(image).and_then(|()| self.pin_tables(image));
        self.domain.end_restore();
        localised.and(validated)
    }

    /// A PFN that is not in the image has no frame.
    fn forget_others(&self, image: &Image) {
        let mut kept = image.pages.iter().map(|page| page.pfn).peekable();
        for pfn in (0..self.domain.pages()).map(Pfn) {
            if kept.next_if_eq(&pfn).is_some() {
                continue;
            }
            if let Some(word) = self.domain.p2m(pfn) {
                self.host.release(word.raw());
                self.domain.clear_p2m(pfn);
            }
        }
    }

    /// Takes every frame of the guest's away, and gives it others.
    fn populate(&self, image: &Image, mode: Mode) -> Vec<RawMfn> {
        let moved = match mode {
            Mode::Fresh => self.fresh(image),
            Mode::Deranged { seed } => self.deranged(image, seed),
            Mode::Cancelled => image.pages.iter().map(|p| p.mfn).collect(),
        };
        // The guest's all, those that have no PFN included, and what another domain had of them.
        let left = (RESERVED..self.host.frames())
            .map(RawMfn)
            .filter(|m| self.host.frame(*m).owner() != Owner::Free);
        left.for_each(|mfn| self.host.release(mfn));
        for (page, mfn) in image.pages.iter().zip(&moved) {
            self.host.give(*mfn, Some(page.pfn));
        }
        if matches!(mode, Mode::Deranged { .. }) {
            // Of the frames let go, every other one is another domain's now.
            let left = image.pages.iter().map(|p| p.mfn);
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
        for page in &image.pages {
            had[page.mfn.0 as usize] = true;
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

    /// Its own frames, exchanged along one cycle, so that none stays; one in 64 replaced.
    fn deranged(&self, image: &Image, seed: u64) -> Vec<RawMfn> {
        let pages = &image.pages;
        let mut order: Vec<usize> = (0..pages.len()).collect();
        shuffle(&mut order, seed);
        // Two tables, two data pages, the rest, a data page: what is at a page's old frame afterwards
        // is then a table for a table, a table for data, data for data, and data for a table.
        let (tables, data): (Vec<usize>, Vec<usize>) =
            order.into_iter().partition(|at| pages[*at].table.is_some());
        let (first_tables, tables) = tables.split_at(tables.len().min(2));
        let (first_data, data) = data.split_at(data.len().min(2));
        let (rest, last) = data.split_at(data.len().saturating_sub(1));
        let mut middle = [tables, rest].concat();
        shuffle(&mut middle, !seed);
        let order = [first_tables, first_data, &middle, last].concat();
        let mut moved = alloc::vec![RawMfn(0); pages.len()];
        for (from, to) in order.iter().zip(order.iter().cycle().skip(1)) {
            moved[*from] = pages[*to].mfn;
        }
        let replaced = order.iter().skip(8).step_by(64);
        for (at, mfn) in replaced.zip(self.others(image)) {
            moved[*at] = mfn;
        }
        moved
    }

    /// Writes a page's words, a table's entries with the new frames' numbers.
    fn localise(&self, page: &Page, mfn: RawMfn) {
        for (index, word) in page.data.iter().flatten().enumerate() {
            if *word != 0 {
                self.host.memory.write(mfn, index, *word);
            }
        }
        let Some(table) = &page.table else { return };
        for (index, entry) in table.entries.iter().enumerate() {
            let pte = Pte(*entry);
            let frame = match self.domain.p2m(Pfn(pte.mfn().0)) {
                Some(word) if pte.present() => word.raw().0,
                _ => pte.mfn().0,
            };
            if pte.0 != 0 {
                let local = pte.with_frame(frame);
                self.host.memory.write(mfn, index, local.0);
            }
        }
    }

    /// start_info's own fields: shared_info moves to the other of its two frames, with its contents if
    /// it ever had any, and the rings' PFNs become MFNs.
    fn localise_start_info(&self) -> Result<(), Failed> {
        let info = &self.domain.start_info;
        let old = RawMfn(info.shared_info.load(Relaxed) >> super::number::PAGE_SHIFT);
        let new = RawMfn(2 * SHARED_INFO + 1 - old.0);
        let words = self.host.memory.words(old);
        self.host.release(old);
        self.host.share(new);
        for (index, word) in words.iter().flatten().enumerate() {
            let carried = shared_info::restored(index, *word);
            self.host.memory.write(new, index, carried);
        }
        info.shared_info.store(maddr(new), Relaxed);
        for ring in info.rings() {
            let pfn = Pfn(ring.load(Relaxed));
            let word = self.domain.p2m(pfn).ok_or(Failed::NotCanonical)?;
            ring.store(word.raw().0, Relaxed);
        }
        Ok(())
    }

    fn load_roots(&self, image: &Image) -> Result<(), Failed> {
        for (vcpu, roots) in self.domain.vcpus.iter().zip(&image.roots) {
            vcpu.tlb.shoot();
            for (register, root) in vcpu.roots().into_iter().zip(roots) {
                register.store(0, Relaxed);
                let Some(root) = root else { continue };
                let mfn = self.domain.p2m(*root).ok_or(Failed::Load)?.raw();
                self.host.get_table(mfn, 4).map_err(|_| Failed::Load)?;
                register.store(mfn.0, Relaxed);
            }
        }
        Ok(())
    }

    fn pin_tables(&self, image: &Image) -> Result<(), Failed> {
        for page in &image.pages {
            let Some(table) = page.table.as_ref().filter(|t| t.pinned) else {
                continue;
            };
            let mfn = self.domain.p2m(page.pfn).ok_or(Failed::Pin)?.raw();
            self.host.pin(mfn, table.level).map_err(|_| Failed::Pin)?;
        }
        Ok(())
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
