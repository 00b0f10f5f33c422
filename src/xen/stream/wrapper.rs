//! What xl and libxl put around a stream in a file that `xl save` wrote.
//!
//! xl: a header of 48 octets, then the guest's configuration. libxl, big-endian and unaligned: a
//! header of 16, a record LIBXC_CONTEXT, in whose place the stream is, and a record END.

use super::cursor::Cursor;
use super::malformed::{Malformed, Part};
use super::reader::Stream;

const MAGIC: &[u8; 32] = b"Xen saved domain, xl format\n \0 \r";
/// "LibxlFmt".
const LIBXL: u64 = 0x4c69_6278_6c46_6d74;
const LIBXC_CONTEXT: u32 = 1;
const END: u32 = 0;

impl<'a> Stream<'a> {
    /// Reads the stream in a file that `xl save` wrote. The offsets in errors are the file's.
    ///
    /// # Errors
    /// [`Malformed`], in the stream or around it.
    pub fn read_saved(file: &'a [u8]) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new(file, Part::Wrapper("xl's header"));
        let c = &mut cursor;
        for octet in MAGIC {
            c.field(Cursor::u8, "octet of the magic", "xl's", |o| o == *octet)?;
        }
        let order = "0x1020304, little-endian";
        c.field(Cursor::u32, "byte order", order, |o| o == 0x0102_0304)?;
        let mandatory = "3: a stream of version 2, JSON";
        c.field(Cursor::u32, "mandatory flags", mandatory, |f| f == 3)?;
        c.field(Cursor::u32, "optional flags", "0", |f| f == 0)?;
        let length = c.u32()?;
        c.part = Part::Wrapper("xl's configuration");
        let mut data = c.window(length.into())?;
        let fits = |config| u64::from(config) + 4 == u64::from(length);
        data.field(Cursor::u32, "length", "4 less than xl's header says", fits)?;
        c.part = Part::Wrapper("libxl's header");
        c.field(Cursor::be_u64, "ident", "LibxlFmt", |i| i == LIBXL)?;
        c.field(Cursor::be_u32, "version", "2", |v| v == 2)?;
        c.field(Cursor::be_u32, "options", "0, little-endian", |o| o == 0)?;
        empty(c, "LIBXC_CONTEXT of libxl", LIBXC_CONTEXT)?;
        let stream = Self::read_at(c)?;
        empty(c, "END of libxl", END)?;
        c.end()?;
        Ok(stream)
    }
}

/// A record of libxl's without a body.
fn empty(c: &mut Cursor<'_>, name: &'static str, number: u32) -> Result<(), Malformed> {
    c.part = Part::Wrapper(name);
    c.field(Cursor::u32, "type", "that of this record", |t| t == number)?;
    c.field(Cursor::u32, "length", "0", |l| l == 0).map(drop)
}
