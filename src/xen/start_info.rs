//! start_info: the page where a guest finds what Xen and the tools have to say, at boot and after a restore.
//!
//! A page of the guest's like another: saved as data, and written by its builder and its restorer. What
//! they write is a word here and there; the rest is the guest's, and comes back as it was.
//!
//! Source: `xen/include/public/xen.h`; `process_start_info` in `xg_sr_restore_x86_pv.c`.

use super::domain::StartInfo;
use super::events::{CONSOLE_PORT, STORE_PORT};
use super::guest::Guest;
use super::hypercall::maddr;
use super::number::{Pfn, RawMfn};
use super::save::Failed;
use crate::backend::{Atomic, Backend};
use core::sync::atomic::Ordering::Relaxed;

/// "xen-3.0-x86_64".
const MAGIC: [u64; 2] = [0x2d30_2e33_2d6e_6578, 0x3436_5f36_3878];
const NR_PAGES: usize = 4;
/// The machine address of shared_info.
const SHARED_INFO: usize = 5;
const FLAGS: usize = 6;
/// The store ring's frame: an MFN while the guest runs, a PFN from suspend to restore.
pub(super) const STORE: usize = 7;
const STORE_EVENTS: usize = 8;
/// The console ring's frame, likewise.
pub(super) const CONSOLE: usize = 9;
const CONSOLE_EVENTS: usize = 10;

/// Fields of 32 bits are the low half of their word; what is above is padding.
const LOW_HALF: u64 = u32::MAX as u64;

impl<B: Backend> Guest<B> {
    /// The frame that start_info has now.
    fn start_info(&self) -> Option<RawMfn> {
        let word = self.domain.p2m(self.domain.start_info.pfn)?;
        Some(word.raw())
    }

    /// A word of start_info as the guest reads it; 0 if the page has no frame.
    pub(super) fn start_info_word(&self, at: usize) -> u64 {
        let page = self.start_info();
        page.map_or(0, |page| self.host.memory.read(page, at))
    }

    fn write_start_info(&self, at: usize, word: u64) {
        if let Some(page) = self.start_info() {
            self.host.memory.write(page, at, word);
            self.host.wrote(page);
        }
    }

    /// The store's and the console's ring in start_info: MFNs while the guest runs, PFNs while it is saved.
    pub fn rings(&self) -> [u64; 2] {
        [STORE, CONSOLE].map(|at| self.start_info_word(at))
    }

    /// Writes what `translate` makes of each ring, where it makes anything.
    pub(super) fn translate_rings(&self, translate: impl Fn(u64) -> Option<u64>) {
        for at in [STORE, CONSOLE] {
            if let Some(ring) = translate(self.start_info_word(at)) {
                self.write_start_info(at, ring);
            }
        }
    }

    /// As the domain's builder leaves the page: with the rings at these PFNs.
    pub(super) fn build_start_info(&self, rings: [Pfn; 2]) {
        for (at, word) in MAGIC.into_iter().enumerate() {
            self.write_start_info(at, word);
        }
        for (at, ring) in [STORE, CONSOLE].into_iter().zip(rings) {
            self.write_start_info(at, ring.0);
        }
        // Its rings are the guest's own pages.
        let _ = self.restore_start_info();
    }

    /// As the restorer leaves it: the rings' PFNs become MFNs, the flags 0.
    pub(super) fn restore_start_info(&self) -> Result<(), Failed> {
        let StartInfo { shared_info, .. } = &self.domain.start_info;
        self.write_start_info(NR_PAGES, self.domain.pages());
        self.write_start_info(SHARED_INFO, shared_info.load(Relaxed));
        for (at, value) in [
            (FLAGS, 0),
            (STORE_EVENTS, STORE_PORT),
            (CONSOLE_EVENTS, CONSOLE_PORT),
        ] {
            let padding = self.start_info_word(at) & !LOW_HALF;
            self.write_start_info(at, padding | u64::from(value));
        }
        let mfn = |pfn| self.domain.p2m(Pfn(pfn)).map(|word| word.raw().0);
        let known = self.rings().map(|ring| mfn(ring).is_some());
        self.translate_rings(mfn);
        if known == [true; 2] {
            Ok(())
        } else {
            Err(Failed::NotCanonical)
        }
    }

    /// The frame of shared_info, as start_info tells the guest.
    pub(super) fn told_shared_info(&self) -> RawMfn {
        RawMfn(self.start_info_word(SHARED_INFO) >> super::number::PAGE_SHIFT)
    }

    /// The frame of shared_info, as Xen knows it.
    pub(super) fn shared_info_frame(&self) -> RawMfn {
        let maddr = self.domain.start_info.shared_info.load(Relaxed);
        RawMfn(maddr >> super::number::PAGE_SHIFT)
    }

    pub(super) fn move_shared_info(&self, mfn: RawMfn) {
        self.domain
            .start_info
            .shared_info
            .store(maddr(mfn), Relaxed);
    }
}
