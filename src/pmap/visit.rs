//! A pmap locked for an operation, its tables read by frame or through a window.

use super::alternate::{Alternate, Window};
use super::kernel::Kernel;
use super::work::User;
use super::{PmapError, PmapId};
use crate::backend::Backend;
use crate::primitive::TicketGuard;
use crate::xen::{Access, ReadPte, Va};

/// A locked pmap.
#[derive(Debug)]
#[must_use = "`end` it"]
pub(super) enum Visit<'k, 'g, B: Backend> {
    Direct { _locked: TicketGuard<'k, B> },
    Through(Window<'k, 'g, B>),
}

impl<B: Backend> Kernel<B> {
    /// Locks a pmap, and brings its tables into view if this kernel needs that.
    #[inline]
    pub(super) fn visit<'k, 'g>(
        &'k self,
        access: Access<'g, B>,
        pmap: PmapId,
        user: User,
    ) -> Result<Visit<'k, 'g, B>, PmapError> {
        if self.alternate == Alternate::Direct {
            return Ok(Visit::Direct {
                _locked: self.lock(pmap),
            });
        }
        Ok(Visit::Through(self.map_ptes(access, pmap, user)?))
    }
}

impl<'g, B: Backend> Visit<'_, 'g, B> {
    /// What an operation takes for the L1 entry of an address, whose table there is: the entry
    /// itself, or what the window shows.
    #[inline]
    pub(super) fn entry(&mut self, va: Va, direct: ReadPte<'g>) -> ReadPte<'g> {
        match self {
            Visit::Direct { .. } => direct,
            Visit::Through(window) => window.entry(va).unwrap_or(direct),
        }
    }

    /// Lets it go.
    #[inline]
    pub(super) fn end(self) -> Result<(), PmapError> {
        match self {
            Visit::Direct { .. } => Ok(()),
            Visit::Through(window) => window.unmap().map(drop),
        }
    }
}
