//! `vm_assist`: what the guest asked Xen to do beyond the usual.

use super::domain::Domain;
use super::hypercall::Errno;
use crate::backend::{Atomic, Backend};
use core::sync::atomic::Ordering::Relaxed;

/// An assist that changes something in this simulator, by its number in the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Assist {
    /// Stores to L1 tables through their read-only mappings are updates.
    WritablePagetables = 2,
}

/// Those that a 64-bit guest may ask for: 0 to 5, and `m2p_strict`.
const KNOWN: u64 = 0x3f | 1 << 32;

const ENABLE: u32 = 0;
const DISABLE: u32 = 1;

impl<B: Backend> Domain<B> {
    /// Whether the guest asked for it.
    pub(super) fn assists(&self, what: Assist) -> bool {
        self.assists.load(Relaxed) & 1 << what as u32 != 0
    }

    /// All that the guest asked for, by bit.
    pub(super) fn assisted(&self) -> u64 {
        self.assists.load(Relaxed)
    }

    /// `vm_assist`.
    pub(super) fn vm_assist(&self, command: u32, kind: u32) -> Result<(), Errno> {
        let bit = 1u64.checked_shl(kind).unwrap_or(0);
        if bit & KNOWN == 0 {
            return Err(Errno::Inval);
        }
        match command {
            ENABLE => self.assists.fetch_or(bit, Relaxed),
            DISABLE => self.assists.fetch_and(!bit, Relaxed),
            _ => return Err(Errno::NoSys),
        };
        Ok(())
    }
}
