//! I7, of the kernel: after a suspend every recursive slot names its page of the directory again, at its new
//! MFN, and shared_info the P2M's frame list.

use super::PmapId;
use super::kernel::Kernel;
use crate::backend::Backend;
use crate::xen::shared_info::P2M_FRAME_LIST;
use crate::xen::{Broken, Mmu, RawMfn};
use alloc::vec::Vec;

impl<B: Backend> Kernel<B> {
    /// The live pmaps whose recursive slot does not name their root, and the frame list if shared_info does
    /// not name it; none, unless a step of the suspend was left out. Costs a hold, and two reads a pmap.
    pub fn broken(&self, mmu: &impl Mmu<B>) -> Vec<Broken> {
        let hold = mmu.hold();
        let access = hold.access();
        let mut broken = Vec::new();
        self.each_live(|pmap: PmapId| {
            let root = self.root(pmap);
            let Some(mfn) = access.mfn(root) else { return };
            for at in 0..self.layout.pages {
                let page = self.directory(access, mfn, at).map(|page| page.raw());
                let slot = self.slot_of(access, pmap, self.layout.recursive + at);
                let Some(entry) = slot else { continue };
                if entry.mfn().map(|named| named.raw()) != page {
                    broken.push(Broken::Recursive {
                        root,
                        found: entry.pte().0,
                    });
                }
            }
        });
        let listed = access.read(access.shared_info(), P2M_FRAME_LIST).pte().0;
        let list = access.mfn(self.frame_list.first());
        if list.map(|mfn| mfn.raw().0) != Some(listed) {
            broken.push(Broken::FrameList {
                mfn: RawMfn(listed),
            });
        }
        broken
    }
}
