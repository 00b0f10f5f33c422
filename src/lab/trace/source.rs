//! Where a trace comes from, and its text in plain whatever it was packed with.
//!
//! Invariant: the packing is told by the first bytes, never by the name, so a pipe, a renamed
//! file and bytes in memory are all read alike; and text is streamed, never held whole.

use std::boxed::Box;
use std::ffi::OsStr;
use std::format;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;
use std::string::{String, ToString};

use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;

use super::error::{TraceError, TraceErrorKind};

/// The dictionary that an xz file may ask for, in KiB: `xz -9` asks for 64 MiB.
const XZ_MEMORY_KIB: u32 = 256 * 1024;

/// Bytes of the input that are looked at to tell what it is.
const MAGIC: usize = 8;

/// Bytes of text that are unpacked to see whether packed data is damaged.
const CHECKED: u64 = 64 << 20;

/// Where a trace is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file: plain, gzip or xz.
    Path(PathBuf),
    /// Standard input: plain, gzip or xz.
    Stdin,
    /// Bytes that are part of the program: plain, gzip or xz.
    Embedded {
        /// What messages call it.
        name: &'static str,
        /// Its contents.
        bytes: &'static [u8],
    },
}

impl Source {
    /// The source that a command-line argument means: `-` is standard input, all else a path.
    pub fn from_argument(argument: impl AsRef<OsStr>) -> Self {
        let argument = argument.as_ref();
        if argument == "-" {
            Self::Stdin
        } else {
            Self::Path(PathBuf::from(argument))
        }
    }

    /// The trace that is part of the program, [`EMBEDDED`](super::EMBEDDED).
    pub fn embedded() -> Self {
        let (name, bytes) = super::EMBEDDED;
        Self::Embedded { name, bytes }
    }

    /// Every trace that is part of the program: [`ALL_EMBEDDED`](super::ALL_EMBEDDED).
    pub fn all_embedded() -> [Self; 3] {
        super::ALL_EMBEDDED.map(|(name, bytes)| Self::Embedded { name, bytes })
    }

    /// What messages call this source.
    pub fn name(&self) -> String {
        match self {
            Self::Path(path) => path.display().to_string(),
            Self::Stdin => "standard input".to_string(),
            Self::Embedded { name, .. } => (*name).to_string(),
        }
    }

    /// This source's text as a stream, unpacked.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened or read, is empty, or begins like something that is not text.
    pub(super) fn open(&self) -> Result<Text, TraceError> {
        let name = self.name();
        let opened: io::Result<Box<dyn Read>> = match self {
            Self::Path(path) => File::open(path).map(|file| Box::new(file) as Box<dyn Read>),
            Self::Stdin => Ok(Box::new(io::stdin().lock())),
            Self::Embedded { bytes, .. } => Ok(Box::new(*bytes)),
        };
        let result = opened
            .map_err(TraceErrorKind::Open)
            .and_then(|input| unpack(input));
        match result {
            Ok((packer, input)) => Ok(Text {
                name,
                packer,
                input,
            }),
            Err(kind) => Err(TraceError { source: name, kind }),
        }
    }
}

/// A source's text as a stream of bytes.
pub(super) struct Text {
    name: String,
    packer: Option<&'static str>,
    input: Box<dyn BufRead>,
}

impl Text {
    /// Puts into `line` the next line with its end, at most `limit` bytes of it.
    ///
    /// An empty `line` is the end of the text. A `line` of `limit` bytes may be part of a longer one.
    ///
    /// # Errors
    ///
    /// If reading or unpacking fails.
    pub(super) fn line(
        &mut self,
        line: &mut std::vec::Vec<u8>,
        limit: u64,
    ) -> Result<(), TraceError> {
        line.clear();
        match (&mut self.input).take(limit).read_until(b'\n', line) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.fail(read_error(self.packer, error))),
        }
    }

    /// The error that says what is wrong with text that cannot be used: `kind`, unless the packed
    /// data it comes from is damaged, which may show as nonsense long before its checksum tells.
    pub(super) fn nonsense(mut self, kind: TraceErrorKind) -> TraceError {
        if let Some(packer) = self.packer {
            let mut rest = (&mut self.input).take(CHECKED);
            if let Err(error) = io::copy(&mut rest, &mut io::sink()) {
                return self.fail(read_error(Some(packer), error));
            }
        }
        self.fail(kind)
    }

    /// The error that says `kind` about this source.
    pub(super) fn fail(&self, kind: TraceErrorKind) -> TraceError {
        TraceError {
            source: self.name.clone(),
            kind,
        }
    }
}

/// What an error while reading means: for packed data, mostly that the data is not whole.
fn read_error(packer: Option<&'static str>, error: io::Error) -> TraceErrorKind {
    match (packer, error.kind()) {
        (Some(packer), io::ErrorKind::UnexpectedEof) => TraceErrorKind::CompressedCut { packer },
        (
            Some(packer),
            io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::Unsupported
            | io::ErrorKind::OutOfMemory
            | io::ErrorKind::Other,
        ) => TraceErrorKind::CompressedDamaged {
            packer,
            detail: error.to_string().escape_debug().to_string(),
        },
        _ => TraceErrorKind::Read(error),
    }
}

/// Tells by the first bytes what `input` is, and unpacks it if it is packed.
fn unpack(
    mut input: Box<dyn Read>,
) -> Result<(Option<&'static str>, Box<dyn BufRead>), TraceErrorKind> {
    let mut head = [0; MAGIC];
    let mut length = 0;
    // A pipe may give the first bytes one by one.
    while length < MAGIC {
        match input.read(&mut head[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(TraceErrorKind::Read(error)),
        }
    }
    let magic = &head[..length];
    if magic.is_empty() {
        return Err(TraceErrorKind::Empty);
    }
    if magic == b"PERFILE2" || magic == b"2ELIFREP" || magic == b"PERFFILE" {
        return Err(TraceErrorKind::PerfData);
    }
    if let Some(packer) = other_packer(magic) {
        return Err(TraceErrorKind::Foreign {
            reason: format!("it is packed with {packer}, only gzip and xz are unpacked here"),
        });
    }
    let (gzip, xz) = (
        magic.starts_with(&[0x1f, 0x8b]),
        magic.starts_with(b"\xfd7zXZ\0"),
    );
    let whole = io::Cursor::new(head).take(length as u64).chain(input);
    Ok(if gzip {
        let plain = MultiGzDecoder::new(BufReader::new(whole));
        (Some("gzip"), Box::new(BufReader::new(plain)))
    } else if xz {
        let plain = XzReader::new_mem_limit(BufReader::new(whole), true, XZ_MEMORY_KIB);
        (Some("xz"), Box::new(BufReader::new(plain)))
    } else {
        (None, Box::new(BufReader::new(whole)))
    })
}

/// The name of a packing that is recognised, though not unpacked.
fn other_packer(magic: &[u8]) -> Option<&'static str> {
    [
        (&b"\x28\xb5\x2f\xfd"[..], "zstd"),
        (b"BZh", "bzip2"),
        (b"PK\x03\x04", "zip"),
    ]
    .into_iter()
    .find_map(|(start, name)| magic.starts_with(start).then_some(name))
}
