//! Reading a stream: headers, then record after record, each admitted, read and left behind it.

use super::cursor::Cursor;
use super::malformed::{Fault, Malformed, Part};
use super::order::Order;
use super::records::{ALIGN, IDENT, Kind, LONGEST, MARKER, OPTIONAL, PageType, X86_PV};
use super::state::{NONE, State};
use crate::xen::number::{PAGE_SHIFT, Pfn};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// A page as its stream has it.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    pub(super) kind: PageType,
    /// What it was when its contents were sent, if they were: of a page that is now said to have none,
    /// the restorer keeps those that it has.
    pub(super) sent: Option<PageType>,
    pub(super) contents: &'a [u8],
    /// The record that it came with.
    pub(super) record: u32,
    /// The octet of its contents, or of its place in the batch's list.
    pub(super) at: usize,
}

impl<'a> Page<'a> {
    /// What it is.
    pub fn kind(&self) -> PageType {
        self.kind
    }

    /// Its 4096 octets, the last that were sent; none if none were.
    pub fn contents(&self) -> &'a [u8] {
        self.contents
    }

    /// Its contents as words.
    pub fn words(&self) -> impl Iterator<Item = u64> + use<'a> {
        let words = self.contents.as_chunks::<8>().0.iter();
        words.map(|octets| u64::from_le_bytes(*octets))
    }
}

/// A stream that was read: the last that it says of every page, and of the rest.
///
/// It borrows the octets: what is allocated is a node a page, a few times the eight octets that the
/// page's entry takes in the stream, whatever its length fields say.
#[derive(Debug)]
pub struct Stream<'a> {
    pub(super) state: State<'a>,
    pub(super) pages: BTreeMap<Pfn, Page<'a>>,
}

impl<'a> Stream<'a> {
    /// Reads a bare stream, as libxc writes it. Linear in its length.
    ///
    /// # Errors
    /// [`Malformed`], for whatever Xen's own save would not have written.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new(bytes, Part::ImageHeader);
        let stream = Self::read_at(&mut cursor)?;
        cursor.end()?;
        Ok(stream)
    }

    /// Reads up to END, and leaves the cursor after it.
    pub(super) fn read_at(cursor: &mut Cursor<'a>) -> Result<Self, Malformed> {
        let mut reader = Reader::headers(cursor)?;
        while reader.record(cursor)? != Some(Kind::End) {}
        Ok(reader.stream)
    }

    /// All but the pages.
    pub fn state(&self) -> &State<'a> {
        &self.state
    }

    /// The page of a PFN; `None` if the guest has no such PFN.
    pub fn page(&self, pfn: Pfn) -> Option<&Page<'a>> {
        self.pages.get(&pfn)
    }

    /// Every page, in ascending order.
    pub fn pages(&self) -> impl Iterator<Item = (Pfn, &Page<'a>)> {
        self.pages.iter().map(|(pfn, page)| (*pfn, page))
    }
}

/// What is known while records come in.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) stream: Stream<'a>,
    pub(super) order: Order,
    /// Of the record that is being read, from 1.
    pub(super) index: u32,
    /// Where the P2M's record began, and each vCPU's.
    pub(super) p2m: Option<Cursor<'a>>,
    pub(super) vcpus: Vec<Cursor<'a>>,
}

impl<'a> Reader<'a> {
    fn headers(cursor: &mut Cursor<'a>) -> Result<Self, Malformed> {
        cursor.part = Part::ImageHeader;
        cursor.field(Cursor::be_u64, "marker", "all ones", |m| m == MARKER)?;
        cursor.field(Cursor::be_u32, "id", "0x58454e46, XENF", |i| i == IDENT)?;
        let versions = |v| (2..=3).contains(&v);
        let version = cursor.field(Cursor::be_u32, "version", "2 or 3", versions)?;
        let little_endian = "0, little-endian";
        cursor.field(Cursor::be_u16, "options", little_endian, |o| o == 0)?;
        cursor.zeros(6, "reserved octet")?;
        cursor.part = Part::DomainHeader;
        cursor.field(Cursor::u32, "domain type", "1, x86 PV", |t| t == X86_PV)?;
        let pages = |shift| u32::from(shift) == PAGE_SHIFT;
        cursor.field(Cursor::u16, "page shift", "12", pages)?;
        cursor.zeros(2, "reserved octet")?;
        let xen = [cursor.u32()?, cursor.u32()?];
        Ok(Self {
            stream: Stream {
                state: State {
                    version,
                    xen,
                    cpuid: NONE,
                    msr: NONE,
                    pages: 0,
                    p2m_frames: Vec::new(),
                    tsc: NONE,
                    shared_info: NONE,
                    vcpus: Vec::new(),
                },
                pages: BTreeMap::new(),
            },
            order: Order::new(version),
            index: 0,
            p2m: None,
            vcpus: Vec::new(),
        })
    }

    /// One record; `None` for an optional one, which is skipped.
    fn record(&mut self, cursor: &mut Cursor<'a>) -> Result<Option<Kind>, Malformed> {
        self.index += 1;
        let index = self.index;
        cursor.part = Part::Record {
            index,
            number: None,
        };
        let start = *cursor;
        let number = cursor.u32()?;
        cursor.part = Part::Record {
            index,
            number: Some(number),
        };
        let part = cursor.part;
        let refuse = |fault| Malformed {
            part,
            ..start.fault(fault)
        };
        let kind = Kind::of(number);
        if kind.is_none() && number & OPTIONAL == 0 {
            return Err(refuse(Fault::Unknown));
        }
        if let Some(kind) = kind {
            self.order.admit(kind).map_err(refuse)?;
        }
        let (found, most) = (cursor.u32()?, LONGEST);
        if found > most {
            let (found, most) = (found.into(), most.into());
            return Err(refuse(Fault::TooLong { found, most }));
        }
        let body = cursor.window(found.into())?;
        let padding = (found as usize).next_multiple_of(ALIGN) - found as usize;
        cursor.zeros(padding as u64, "padding")?;
        if let Some(kind) = kind {
            self.body(kind, body)?;
        }
        Ok(kind)
    }
}
