//! What is wrong with a stream, and where: one line.

use super::records::Kind;
use core::fmt;

/// A stream that is refused.
///
/// Its text is one line: the part, the octet, and what is wrong there.
///
/// ```
/// use ptom::xen::stream::Stream;
/// let refused = Stream::read(b"\xff\xff").unwrap_err();
/// assert_eq!(refused.to_string(), "stream: image header, octet 0x0: octets wanted: 8, left: 2");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    pub(super) part: Part,
    pub(super) at: usize,
    pub(super) fault: Fault,
}

impl Malformed {
    /// The octet, from the start of what was read.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// The record, counted from 1; `None` for a header, and for what wraps the stream.
    pub fn record(&self) -> Option<u32> {
        match self.part {
            Part::Record { index, .. } => Some(index),
            Part::Wrapper(_) | Part::ImageHeader | Part::DomainHeader => None,
        }
    }
}

/// A part of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Of what xl and libxl put around it.
    Wrapper(&'static str),
    ImageHeader,
    DomainHeader,
    /// Counted from 1, with the type as it stands there, once it is known.
    Record {
        index: u32,
        number: Option<u32>,
    },
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Short {
        wanted: u64,
        left: u64,
    },
    Long {
        left: u64,
    },
    Length {
        found: u64,
        wanted: &'static str,
    },
    TooLong {
        found: u64,
        most: u64,
    },
    Field {
        name: &'static str,
        found: u64,
        wanted: &'static str,
    },
    Unknown,
    NotPv,
    NeedsVersion3,
    Missing(Kind),
    Repeated,
    Before(Kind),
    TwiceInBatch {
        pfn: u64,
    },
    NeverSent {
        pfn: u64,
    },
    OutOfRange {
        what: &'static str,
        pfn: u64,
        pages: u64,
    },
    WrongType {
        what: &'static str,
        pfn: u64,
        wanted: &'static str,
    },
    Entry {
        table: u64,
        index: usize,
        entry: u64,
    },
    Differs {
        pfn: u64,
    },
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Wrapper(what) => f.write_str(what),
            Part::ImageHeader => f.write_str("image header"),
            Part::DomainHeader => f.write_str("domain header"),
            Part::Record { index, number } => {
                write!(f, "record {index}")?;
                match number.map(|n| (n, Kind::of(n))) {
                    Some((_, Some(kind))) => write!(f, " ({kind})"),
                    Some((number, None)) => write!(f, " (type {number:#x})"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Short { wanted, left } => {
                write!(f, "octets wanted: {wanted}, left: {left}")
            }
            Fault::Long { left } => write!(f, "octets too many: {left}"),
            Fault::Length { found, wanted } => write!(f, "length is {found}, must be {wanted}"),
            Fault::TooLong { found, most } => {
                write!(f, "length is {found}, may be {most} at most")
            }
            Fault::Field {
                name,
                found,
                wanted,
            } => write!(f, "{name} is {found:#x}, must be {wanted}"),
            Fault::Unknown => f.write_str("no such record is known, and it is not optional"),
            Fault::NotPv => f.write_str("has no place in the stream of a PV guest"),
            Fault::NeedsVersion3 => f.write_str("has no place in a stream of version 2"),
            Fault::Missing(kind) => write!(f, "no {kind} came before"),
            Fault::Repeated => f.write_str("came before, and may come once"),
            Fault::Before(kind) => write!(f, "must come before {kind}"),
            Fault::TwiceInBatch { pfn } => write!(f, "PFN {pfn:#x} is twice in one batch"),
            Fault::NeverSent { pfn } => write!(f, "PFN {pfn:#x} was not sent"),
            Fault::OutOfRange { what, pfn, pages } => {
                write!(f, "{what} is PFN {pfn:#x}, the guest has {pages:#x}")
            }
            Fault::WrongType { what, pfn, wanted } => {
                write!(f, "{what} is PFN {pfn:#x}, which is not {wanted}")
            }
            Fault::Entry {
                table,
                index,
                entry,
            } => write!(
                f,
                "entry {index} of the page table at PFN {table:#x} is {entry:#x}, which names no page"
            ),
            Fault::Differs { pfn } => {
                write!(f, "PFN {pfn:#x} is not what was sent before")
            }
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "stream: {}, octet {:#x}: {}",
            self.part, self.at, self.fault
        )
    }
}

impl core::error::Error for Malformed {}
