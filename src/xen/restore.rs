//! Restore: every page gets another frame, and every canonical entry that frame's number.
//!
//! In the tools' order: frames, contents, P2M and M2P; then the vCPUs' roots are loaded, then the
//! pinned tables are pinned in ascending PFN order, each being validated as it is. Before 2015 the pins
//! came first, and the roots then ([`Era::Before2015`]). Which frames it gets is the [`Mode`]'s.
//!
//! Source: `xg_sr_restore_x86_pv.c`; for the older order, `xc_domain_restore.c`.

use super::era::Era;
use super::guest::{Guest, SHARED_INFO};
use super::host::Host;
use super::image::{Contents, Image, Page, Table};
use super::machine::Suspended;
use super::mmu::Mmu;
use super::number::{Mfn, Pfn, RawMfn};
use super::populate::Mode;
use super::pte::Pte;
use super::registers::Register64;
use super::save::Failed;
use super::shared_info;
use crate::backend::{Atomic, Backend};
use crate::scheme::{Reader, Translate};
use core::sync::atomic::Ordering::Relaxed;

/// What the suspend hypercall returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a cancelled suspend must be undone, a resumed guest rebuilt"]
pub enum Outcome {
    /// 0: the guest runs on other frames.
    Resumed {
        /// Page tables that the save dropped: they come back empty, or not at all.
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
        guest.translate_rings(|mfn| Some(guest.host.m2p(RawMfn(mfn))?.0));
    }

    /// start_info's rings become MFNs again, after a cancelled suspend.
    pub fn localise_rings(&self) {
        let guest = self.cpu.guest;
        guest.translate_rings(|pfn| Some(guest.domain.p2m(Pfn(pfn))?.raw().0));
    }

    /// `SCHEDOP_shutdown(SHUTDOWN_suspend)`: pauses every vCPU, and returns in the next incarnation.
    ///
    /// # Errors
    /// [`Failed`], with the guest as it was if it could not be saved, and in pieces if it could not
    /// be restored.
    pub fn hypercall(&mut self, start_info: Register, mode: Mode) -> Result<Outcome, Failed> {
        self.hypercall_with(start_info, mode, |_, image| Ok(image))
    }

    /// The same; `bring` takes the image to the other side, and gives back what is to be restored there.
    pub(super) fn hypercall_with(
        &mut self,
        start_info: Register,
        mode: Mode,
        bring: impl FnOnce(&Guest<B>, Image) -> Result<Image, Failed>,
    ) -> Result<Outcome, Failed> {
        let guest = self.cpu.guest;
        // Whoever is in Xen gets out first; nobody gets in until the guard is dropped.
        let _paused = self.cpu.runs.suspend();
        guest.look_around();
        guest.suspended_with(start_info);
        let saved = guest.save(start_info.0)?;
        let lost_tables = saved.lost;
        let image = bring(guest, saved)?;
        if mode == Mode::Cancelled {
            return Ok(Outcome::Cancelled);
        }
        guest.restore(image, mode, None)?;
        Ok(Outcome::Resumed { lost_tables })
    }
}

impl<B: Backend> Guest<B> {
    /// The suspend hypercall's third argument is where the tools look for it: in vCPU 0's rdx, whoever made
    /// the call here.
    pub(super) fn suspended_with(&self, start_info: Register) {
        let first = &self.domain.vcpus.get(0).registers;
        first.set(Register64::RDX, start_info.0.0);
    }

    /// Makes the guest anew from an image: here, or on another machine, which changes places with
    /// this one.
    pub(super) fn restore(
        &self,
        mut image: Image,
        mode: Mode,
        to: Option<&Host<B>>,
    ) -> Result<(), Failed> {
        image.drop_unnamed();
        let image = &image;
        self.domain.begin_restore();
        if let Some(to) = to {
            self.host.trade(to);
        }
        self.forget_others(image);
        let moved = self.populate(image, mode);
        for (page, mfn) in image.pages.iter().zip(&moved) {
            self.domain.set_p2m(page.pfn, *mfn);
        }
        for (page, mfn) in image.pages.iter().zip(&moved) {
            self.host.memory.fill(*mfn, page.canary);
            self.localise(page, *mfn);
        }
        self.domain.assists.store(image.assists, Relaxed);
        let localised = self.localise_start_info(image);
        let validated = match self.host.is_of(Era::Before2015) {
            true => self.pin_tables(image).and_then(|()| self.load_roots(image)),
            false => self.load_roots(image).and_then(|()| self.pin_tables(image)),
        };
        self.domain.end_restore();
        localised.and(validated)?;
        self.look_after_restore();
        Ok(())
    }

    /// A PFN that is not in the image has no frame.
    fn forget_others(&self, image: &Image) {
        let mut kept = image.pages.iter().map(|page| page.pfn).peekable();
        for pfn in (0..self.domain.pages()).map(Pfn) {
            if kept.next_if_eq(&pfn).is_some() {
                continue;
            }
            self.domain.clear_p2m(pfn);
        }
    }

    /// Writes a page's words, a table's entries with the new frames' numbers.
    fn localise(&self, page: &Page, mfn: RawMfn) {
        let table = match &page.contents {
            Contents::Table(table) => table,
            Contents::Data(words) => {
                for (index, word) in words.iter().flatten().enumerate() {
                    if *word != 0 {
                        self.host.memory.write(mfn, index, *word);
                    }
                }
                return;
            }
            Contents::Lost | Contents::Nothing => return,
        };
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

    /// start_info's own fields; and shared_info moves to the other of its two frames, with its contents if
    /// it ever had any.
    fn localise_start_info(&self, image: &Image) -> Result<(), Failed> {
        let old = self.shared_info_frame();
        let new = RawMfn(2 * SHARED_INFO + 1 - old.0);
        self.host.release(old);
        self.host.share(new);
        for (index, word) in image.shared_info.iter().flatten().enumerate() {
            let carried = shared_info::restored(index, *word);
            self.host.memory.write(new, index, carried);
        }
        self.move_shared_info(new);
        self.domain.events.restored();
        self.load_registers(image);
        self.restore_start_info()
    }

    /// The vCPUs' registers, as they were but for the one that names start_info.
    fn load_registers(&self, image: &Image) {
        for (vcpu, words) in self.domain.vcpus.iter().zip(&image.registers) {
            vcpu.registers.load(words);
        }
        if let Some(word) = self.domain.p2m(self.domain.start_info.pfn) {
            let first = &self.domain.vcpus.get(0).registers;
            first.set(Register64::RDX, word.raw().0);
        }
    }

    fn load_roots(&self, image: &Image) -> Result<(), Failed> {
        let contents = |pfn| image.page(pfn).map(|page| &page.contents);
        let levels = self.host.paging.levels();
        let is_root = |pfn| matches!(contents(pfn), Some(Contents::Table(Table { level, .. })) if *level == levels);
        let is_data = |pfn| matches!(contents(pfn), Some(Contents::Data(_)));
        if !is_data(self.domain.start_info.pfn) {
            return Err(Failed::WrongType);
        }
        for (vcpu, roots) in self.domain.vcpus.iter().zip(&image.roots) {
            vcpu.tlb.shoot();
            for (register, root) in vcpu.roots().into_iter().zip(roots) {
                register.store(0, Relaxed);
                let Some(root) = root else { continue };
                if !is_root(*root) {
                    return Err(Failed::WrongType);
                }
                let mfn = self.domain.p2m(*root).ok_or(Failed::Load)?.raw();
                self.host.get_root(mfn).map_err(|_| Failed::Load)?;
                register.store(mfn.0, Relaxed);
            }
        }
        Ok(())
    }

    fn pin_tables(&self, image: &Image) -> Result<(), Failed> {
        for page in &image.pages {
            let Some(table) = page.table().filter(|t| t.pinned) else {
                continue;
            };
            let mfn = self.domain.p2m(page.pfn).ok_or(Failed::Pin)?.raw();
            self.host.pin(mfn, table.level).map_err(|_| Failed::Pin)?;
        }
        Ok(())
    }
}
