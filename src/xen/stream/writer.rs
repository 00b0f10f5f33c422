//! Writing a stream: what [`Stream::read`] reads, in the order and the batches of Xen's own save.

use super::batch::TYPE_SHIFT;
use super::reader::Stream;
use super::records::{ALIGN, IDENT, Kind, MARKER, PAGE_SIZE, PageType, X86_PV};
use super::state::State;
use super::vcpu::PARTS;
use crate::xen::number::{PAGE_SHIFT, Pfn};
use alloc::vec::Vec;

/// PFNs of one PAGE_DATA record, as Xen sends them.
const BATCH: usize = 1024;

impl State<'_> {
    /// The stream of this state and of the pages that `page` supplies.
    ///
    /// `page` is asked for every PFN once, ascending. It is given zeros, fills in the contents, and says
    /// what the page is; contents that such a page has none of are not sent. Page tables must be
    /// canonical. What [`Stream::read`] would refuse is not checked here.
    ///
    /// Costs one copy of every page.
    pub fn write(&self, page: impl FnMut(Pfn, &mut [u8; PAGE_SIZE]) -> PageType) -> Vec<u8> {
        let mut out = Vec::new();
        self.begin(&mut out);
        batches((0..self.pages).map(Pfn), &mut out, page);
        self.end(&mut out);
        out
    }

    /// What comes before the pages.
    pub(super) fn begin(&self, out: &mut Vec<u8>) {
        self.headers(out);
        record(out, Kind::PvInfo, |out| {
            out.extend([8, 4, 0, 0, 0, 0, 0, 0])
        });
        self.static_data(out);
        record(out, Kind::P2mFrames, |out| {
            out.extend(0u32.to_le_bytes());
            out.extend((self.pages.saturating_sub(1) as u32).to_le_bytes());
            let frames = self.p2m_frames.iter();
            out.extend(frames.flat_map(|pfn| pfn.0.to_le_bytes()));
        });
    }

    /// What comes after them.
    pub(super) fn end(&self, out: &mut Vec<u8>) {
        record(out, Kind::TscInfo, |out| out.extend(&*self.tsc));
        record(out, Kind::SharedInfo, |out| out.extend(&*self.shared_info));
        self.vcpus(out);
        record(out, Kind::End, |_| {});
    }

    fn headers(&self, out: &mut Vec<u8>) {
        out.extend(MARKER.to_be_bytes());
        out.extend(IDENT.to_be_bytes());
        out.extend(self.version.to_be_bytes());
        out.extend([0; 8]);
        out.extend(X86_PV.to_le_bytes());
        out.extend(PAGE_SHIFT.to_le_bytes());
        out.extend(self.xen.map(u32::to_le_bytes).as_flattened());
    }

    fn static_data(&self, out: &mut Vec<u8>) {
        if self.version < 3 {
            return;
        }
        let policies = [
            (Kind::CpuidPolicy, &self.cpuid),
            (Kind::MsrPolicy, &self.msr),
        ];
        for (kind, policy) in policies.into_iter().filter(|(_, p)| !p.is_empty()) {
            record(out, kind, |out| out.extend(&**policy));
        }
        record(out, Kind::StaticDataEnd, |_| {});
    }

    fn vcpus(&self, out: &mut Vec<u8>) {
        for vcpu in &self.vcpus {
            let sent = PARTS.iter().zip(&vcpu.parts);
            for (kind, part) in sent.filter(|(_, part)| !part.is_empty()) {
                record(out, *kind, |out| {
                    out.extend(u64::from(vcpu.id).to_le_bytes());
                    out.extend(&**part);
                });
            }
        }
    }
}

/// The pages of `pfns`, in batches, as `page` supplies them.
pub(super) fn batches(
    pfns: impl Iterator<Item = Pfn>,
    out: &mut Vec<u8>,
    mut page: impl FnMut(Pfn, &mut [u8; PAGE_SIZE]) -> PageType,
) {
    let mut pfns = pfns.peekable();
    while pfns.peek().is_some() {
        let batch: Vec<Pfn> = pfns.by_ref().take(BATCH).collect();
        record(out, Kind::PageData, |out| {
            out.extend((batch.len() as u64).to_le_bytes());
            let list = out.len();
            out.resize(list + 8 * batch.len(), 0);
            for (entry, pfn) in (list..).step_by(8).zip(batch) {
                let mut contents = [0; PAGE_SIZE];
                let kind = page(pfn, &mut contents);
                let word = pfn.0 | kind.number() << TYPE_SHIFT;
                out[entry..entry + 8].copy_from_slice(&word.to_le_bytes());
                if kind.has_contents() {
                    out.extend(contents);
                }
            }
        });
    }
}

/// One record, padded.
fn record(out: &mut Vec<u8>, kind: Kind, body: impl FnOnce(&mut Vec<u8>)) {
    out.extend((kind as u32).to_le_bytes());
    let length = out.len();
    out.extend([0; 4]);
    body(out);
    let octets = out.len() - length - 4;
    out[length..length + 4].copy_from_slice(&(octets as u32).to_le_bytes());
    out.resize(out.len() + octets.next_multiple_of(ALIGN) - octets, 0);
}

impl Stream<'_> {
    /// The stream again.
    ///
    /// Octet for octet, if it was one pass over the pages in Xen's batches (a save that was not
    /// live); otherwise what such a save would have written of the same guest. Optional records are
    /// gone.
    pub fn write(&self) -> Vec<u8> {
        self.state.write(|pfn, to| match self.pages.get(&pfn) {
            Some(page) => {
                let contents = page.contents.iter();
                to.iter_mut()
                    .zip(contents)
                    .for_each(|(to, from)| *to = *from);
                page.kind
            }
            None => PageType::XTab,
        })
    }
}
