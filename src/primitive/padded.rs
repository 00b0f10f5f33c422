//! The one constant about cache lines.

/// Bytes between two words that different CPUs write: two 64-byte lines, since x86's prefetcher
/// fetches lines in pairs.
pub const CACHE_LINE: usize = 128;

/// A value alone on its cache lines.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Padded<T>(
    /// The value.
    pub T,
);

const _: () = assert!(align_of::<Padded<u8>>() == CACHE_LINE);
