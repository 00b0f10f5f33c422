//! Reading octets in order, never past the end, and knowing where.

use super::malformed::{Fault, Malformed, Part};

/// Where a reader is in the octets that it may read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    /// From the first octet of all to the last one that may be read.
    bytes: &'a [u8],
    at: usize,
    pub(super) part: Part,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(bytes: &'a [u8], part: Part) -> Self {
        Self { bytes, at: 0, part }
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    pub(super) const fn left(&self) -> u64 {
        (self.bytes.len() - self.at) as u64
    }

    /// What is wrong at the next octet.
    pub(super) const fn fault(&self, fault: Fault) -> Malformed {
        Malformed {
            part: self.part,
            at: self.at,
            fault,
        }
    }

    /// The next `wanted` octets.
    pub(super) fn take(&mut self, wanted: u64) -> Result<&'a [u8], Malformed> {
        let left = self.left();
        if wanted > left {
            return Err(self.fault(Fault::Short { wanted, left }));
        }
        let from = self.at;
        self.at += wanted as usize;
        Ok(&self.bytes[from..self.at])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N as u64)?);
        Ok(array)
    }

    /// The next `length` octets, to be read by another cursor while this one goes on after them.
    pub(super) fn window(&mut self, length: u64) -> Result<Cursor<'a>, Malformed> {
        let start = self.at;
        self.take(length)?;
        Ok(Cursor {
            bytes: &self.bytes[..self.at],
            at: start,
            part: self.part,
        })
    }

    pub(super) fn u8(&mut self) -> Result<u8, Malformed> {
        self.array().map(u8::from_le_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn be_u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn be_u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn be_u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_be_bytes)
    }

    /// A field, if it has a right value.
    pub(super) fn field<T: Copy + Into<u64>>(
        &mut self,
        read: fn(&mut Self) -> Result<T, Malformed>,
        name: &'static str,
        wanted: &'static str,
        right: impl FnOnce(T) -> bool,
    ) -> Result<T, Malformed> {
        let before = *self;
        let value = read(self)?;
        if right(value) {
            return Ok(value);
        }
        let found = value.into();
        Err(before.fault(Fault::Field {
            name,
            found,
            wanted,
        }))
    }

    /// `length` octets, all of which must be zero.
    pub(super) fn zeros(&mut self, length: u64, name: &'static str) -> Result<(), Malformed> {
        for _ in 0..length {
            self.field(Self::u8, name, "0", |octet| octet == 0)?;
        }
        Ok(())
    }

    /// That nothing is left.
    pub(super) fn end(&self) -> Result<(), Malformed> {
        match self.left() {
            0 => Ok(()),
            left => Err(self.fault(Fault::Long { left })),
        }
    }
}
