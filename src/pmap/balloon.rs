//! Ballooning: free pages give their frames back to Xen, and get others later.
//!
//! The **longest reader** there is: one hold from the first translation to the last page, over zeroing
//! pages, `memory_op`s and updates of P2M and M2P, however many batches that takes. It is a reader though
//! it *writes* the P2M: the hold keeps a suspend out, not other writers. Those are kept out by the pages'
//! being free, or without a frame: only whoever took them has to do with them.
//!
//! **Invariant**: a page is on the balloon's stack if and only if it has no frame, seen from outside a
//! hold. At every instant a P2M word names a frame of the guest's or none: it is emptied before the frame
//! goes, and filled after the M2P.
//!
//! Source: Solaris `balloon_inc_reservation`, `balloon_dec_reservation`, which hold likewise; NetBSD
//! `balloon.c`.

use super::PmapError;
use super::kernel::Kernel;
use super::pages::PageCache;
use crate::backend::Backend;
use crate::xen::{Access, Mfn, Mmu, MmuUpdate, Pfn};
use alloc::vec::Vec;

/// Frames that one `memory_op` moves.
const BATCH: usize = 256;

impl<B: Backend> Kernel<B> {
    /// Gives the frames of up to `pages` free pages back to Xen, zeroed; returns how many: fewer if no
    /// more are free, or Xen takes no more.
    ///
    /// One hold for all of it; a hypercall for each 256 pages, which are zeroed: a suspend waits for
    /// `pages` pages. Cached roots are not reaped for it: see [`reap`](Self::reap).
    ///
    /// # Errors
    /// [`PmapError::Nothing`] if a free page has no frame, which only a control brings about.
    pub fn inflate(
        &self,
        mmu: &impl Mmu<B>,
        cache: &mut PageCache,
        pages: u64,
    ) -> Result<u64, PmapError> {
        let hold = mmu.hold();
        let mut moved = 0;
        while moved < pages {
            let most = (pages - moved).min(BATCH as u64);
            let batch = (0..most).map_while(|_| self.pages.take(cache).ok());
            let mut batch: Vec<Pfn> = batch.collect();
            let taken = self.give_frames(mmu, hold.access(), &batch);
            let given = *taken.as_ref().unwrap_or(&0);
            for kept in batch.drain(given..) {
                self.pages.give(cache, kept);
            }
            moved += taken? as u64;
            self.balloon.push(batch);
            if (given as u64) < most {
                break;
            }
        }
        Ok(moved)
    }

    /// Lets Xen have the frames of these pages; returns how many it took, from the first on.
    fn give_frames(
        &self,
        mmu: &impl Mmu<B>,
        access: Access<'_, B>,
        batch: &[Pfn],
    ) -> Result<usize, PmapError> {
        // Whoever gets the frame next reads nothing of ours.
        batch.iter().for_each(|page| access.zero(*page));
        let frames: Option<Vec<Mfn<'_>>> = batch.iter().map(|page| access.mfn(*page)).collect();
        let frames = frames.ok_or(PmapError::Nothing)?;
        mmu.preemption_point();
        for page in batch {
            access.set_p2m(*page, None);
        }
        let taken = access.decrease_reservation(&frames);
        for (page, frame) in batch.iter().zip(&frames).skip(taken) {
            access.set_p2m(*page, Some(*frame));
        }
        Ok(taken)
    }

    /// Gets frames for up to `pages` of the pages that have none, and frees those, zeroed; returns how
    /// many: fewer if no more are without, or Xen has no more.
    ///
    /// One hold for all of it; two hypercalls for each 256 pages, which are zeroed.
    ///
    /// # Errors
    /// Xen's, if it refuses an update of the M2P, which only a control brings about.
    pub fn deflate(
        &self,
        mmu: &impl Mmu<B>,
        cache: &mut PageCache,
        pages: u64,
    ) -> Result<u64, PmapError> {
        let hold = mmu.hold();
        let access = hold.access();
        let mut moved = 0;
        while moved < pages {
            let most = (pages - moved).min(BATCH as u64);
            let mut batch = self.balloon.pop(most as usize);
            let frames = access.increase_reservation(batch.len());
            mmu.preemption_point();
            let pairs = || batch.iter().zip(&frames);
            let updates: Vec<_> = pairs()
                .map(|(page, frame)| MmuUpdate::machphys(*frame, *page))
                .collect();
            let told = access.mmu_update(&updates);
            let got = told.unwrap_or_else(|refused| refused.done);
            for (page, frame) in pairs().take(got) {
                access.set_p2m(*page, Some(*frame));
                // As it comes it has another domain's contents.
                access.zero(*page);
                self.pages.give(cache, *page);
            }
            self.balloon.push(batch.drain(got..));
            told?;
            moved += got as u64;
            if (got as u64) < most {
                break;
            }
        }
        Ok(moved)
    }

    /// How many pages have no frame.
    pub fn ballooned(&self) -> u64 {
        self.balloon.len()
    }
}
