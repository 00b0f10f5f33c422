//! The bodies of all records but the pages'.

use super::cursor::Cursor;
use super::malformed::{Fault, Malformed};
use super::reader::Reader;
use super::records::{Kind, PAGE_SIZE, PER_FRAME};
use super::state::NONE;
use super::vcpu::{CONTEXT, EXTENDED, PARTS, VcpuRecords};
use crate::xen::number::Pfn;
use alloc::borrow::Cow;

type Octets<'a> = Cow<'a, [u8]>;

impl<'a> Reader<'a> {
    /// Reads a body, all of it.
    pub(super) fn body(&mut self, kind: Kind, mut body: Cursor<'a>) -> Result<(), Malformed> {
        let state = &mut self.stream.state;
        let body = &mut body;
        match kind {
            Kind::PvInfo => pv_info(body)?,
            Kind::CpuidPolicy => state.cpuid = entries(body, 24, "a multiple of 24")?,
            Kind::MsrPolicy => state.msr = entries(body, 16, "a multiple of 16")?,
            Kind::P2mFrames => self.p2m_frames(body)?,
            Kind::PageData => self.batch(body)?,
            Kind::Verify => self.every_page_came(body)?,
            Kind::TscInfo => {
                state.tsc = tsc_info(body)?;
                self.every_page_came(body)?;
            }
            Kind::SharedInfo => state.shared_info = exactly(body, PAGE_SIZE, "4096")?,
            Kind::VcpuBasic => self.next_vcpu(body)?,
            Kind::VcpuExtended | Kind::VcpuXsave | Kind::VcpuMsrs => self.of_vcpu(kind, body)?,
            Kind::Checkpoint => {
                self.check(body)?;
                self.stream.state.vcpus.clear();
                self.vcpus.clear();
            }
            Kind::End => self.check(body)?,
            // Nothing to read; what is not for PV was not admitted.
            Kind::StaticDataEnd
            | Kind::HvmContext
            | Kind::HvmParams
            | Kind::Toolstack
            | Kind::DirtyPfns => {}
        }
        body.end()
    }

    fn p2m_frames(&mut self, body: &mut Cursor<'a>) -> Result<(), Malformed> {
        body.field(Cursor::u32, "start PFN", "0", |s| s == 0)?;
        let pages = u64::from(body.u32()?) + 1;
        self.p2m = Some(*body);
        // The octets that are there bound what is allocated.
        let frames = pages.div_ceil(PER_FRAME);
        let (list, _) = body.take(8 * frames)?.as_chunks();
        let list = list.iter().map(|octets| Pfn(u64::from_le_bytes(*octets)));
        self.stream.state.p2m_frames = list.collect();
        self.stream.state.pages = pages;
        Ok(())
    }

    /// Every PFN must have been sent, with or without contents.
    fn every_page_came(&self, body: &Cursor<'a>) -> Result<(), Malformed> {
        let came = self.stream.pages.keys();
        let gap = (0..).zip(came).find(|(pfn, came)| *pfn != came.0);
        let pfn = gap.map_or(self.stream.pages.len() as u64, |(pfn, _)| pfn);
        if pfn == self.stream.state.pages {
            return Ok(());
        }
        Err(body.fault(Fault::NeverSent { pfn }))
    }

    fn next_vcpu(&mut self, body: &mut Cursor<'a>) -> Result<(), Malformed> {
        let start = *body;
        self.vcpu_is_complete(body)?;
        let last = self.stream.state.vcpus.last().map(|vcpu| vcpu.id);
        let next = |id| last.map_or(id == 0, |last| id > last);
        let id = body.field(Cursor::u32, "vCPU", "0 first, then ascending", next)?;
        body.zeros(4, "reserved octet")?;
        let basic = exactly(body, CONTEXT, "5168 and the header's 8")?;
        let parts = [basic, NONE, NONE, NONE];
        self.stream.state.vcpus.push(VcpuRecords { id, parts });
        self.vcpus.push(start);
        Ok(())
    }

    fn of_vcpu(&mut self, kind: Kind, body: &mut Cursor<'a>) -> Result<(), Malformed> {
        if kind != Kind::VcpuExtended {
            self.vcpu_is_complete(body)?;
        }
        let Some(vcpu) = self.stream.state.vcpus.last_mut() else {
            return Err(body.fault(Fault::Missing(Kind::VcpuBasic)));
        };
        let basic = "that of X86_PV_VCPU_BASIC before";
        body.field(Cursor::u32, "vCPU", basic, |id| id == vcpu.id)?;
        body.zeros(4, "reserved octet")?;
        let this_and_later = PARTS.iter().zip(&mut vcpu.parts);
        let mut this_and_later = this_and_later.skip_while(|(part, _)| **part != kind);
        let Some((_, place)) = this_and_later.next() else {
            return Err(body.fault(Fault::NotPv));
        };
        if !place.is_empty() {
            return Err(body.fault(Fault::Repeated));
        }
        if let Some((later, _)) = this_and_later.find(|(_, place)| !place.is_empty()) {
            return Err(body.fault(Fault::Before(*later)));
        }
        *place = match kind {
            Kind::VcpuExtended => exactly(body, EXTENDED, "64 and the header's 8")?,
            // XCR0, the accumulated one, and then the area.
            Kind::VcpuXsave => at_least(body, 16, "16 at least, and the header's 8")?,
            _ => entries(body, 16, "a multiple of 16, and the header's 8")?,
        };
        Ok(())
    }

    /// The last vCPU must have the one record that every vCPU has besides X86_PV_VCPU_BASIC.
    pub(super) fn vcpu_is_complete(&self, body: &Cursor<'a>) -> Result<(), Malformed> {
        match self.stream.state.vcpus.last() {
            Some(vcpu) if vcpu.parts[1].is_empty() => {
                Err(body.fault(Fault::Missing(Kind::VcpuExtended)))
            }
            _ => Ok(()),
        }
    }
}

fn pv_info(body: &mut Cursor<'_>) -> Result<(), Malformed> {
    body.field(Cursor::u8, "guest width", "8", |w| w == 8)?;
    body.field(Cursor::u8, "levels of page tables", "4", |l| l == 4)?;
    body.zeros(6, "reserved octet")
}

fn tsc_info<'a>(body: &mut Cursor<'a>) -> Result<Octets<'a>, Malformed> {
    let mut fields = *body;
    let octets = exactly(body, 24, "24")?;
    // Mode, frequency, time, incarnation.
    fields.take(20)?;
    fields.zeros(4, "reserved octet")?;
    Ok(octets)
}

/// All that is left, if its length is right.
fn sized<'a>(
    body: &mut Cursor<'a>,
    right: impl FnOnce(u64) -> bool,
    wanted: &'static str,
) -> Result<Octets<'a>, Malformed> {
    let found = body.left();
    if !right(found) {
        return Err(body.fault(Fault::Length { found, wanted }));
    }
    body.take(found).map(Cow::Borrowed)
}

fn exactly<'a>(
    body: &mut Cursor<'a>,
    length: usize,
    wanted: &'static str,
) -> Result<Octets<'a>, Malformed> {
    sized(body, |found| found == length as u64, wanted)
}

fn at_least<'a>(
    body: &mut Cursor<'a>,
    length: u64,
    wanted: &'static str,
) -> Result<Octets<'a>, Malformed> {
    sized(body, |found| found >= length, wanted)
}

/// One entry or more of a fixed size.
fn entries<'a>(
    body: &mut Cursor<'a>,
    size: u64,
    wanted: &'static str,
) -> Result<Octets<'a>, Malformed> {
    sized(
        body,
        |found| found > 0 && found.is_multiple_of(size),
        wanted,
    )
}
