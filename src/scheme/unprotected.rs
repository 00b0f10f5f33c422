//! `unprotected`: nothing at all.
//!
//! The control. A hold excludes nobody and a suspend waits for nobody, so every checker must catch
//! it, and its cost is that of the bare translation, which every other scheme is compared with.

use super::{Claims, Describe, Free, Full, Reader, Scheme, Size, Translate};
use crate::backend::Backend;
use core::cell::Cell;
use core::marker::PhantomData;

/// No protection.
#[derive(Debug)]
pub struct Unprotected;

impl Describe for Unprotected {
    const NAME: &'static str = "unprotected";
    const PRECEDENT: &'static str = "none: the control that every checker must catch";
    const CLAIMS: Claims = Claims {
        holds: false,
        nests: true,
        bounded_wait: true,
        sleeps_in_hold: true,
        snapshot_free_of_writes: true,
        needs_quiescence: false,
        suspends_alone: false,
        drop_ends_leaks: false,
    };
}

/// A reader that is not registered anywhere.
#[derive(Debug)]
pub struct UnprotectedReader(PhantomData<Cell<()>>);

impl<B: Backend> Scheme<B> for Unprotected {
    type Reader<'s> = UnprotectedReader;

    fn new(_: Size) -> Self {
        Self
    }

    fn reader(&self) -> Result<UnprotectedReader, Full> {
        Ok(UnprotectedReader(PhantomData))
    }
}

impl Translate for UnprotectedReader {
    type Hold<'h> = Free;

    #[inline]
    fn hold(&self) -> Free {
        Free
    }
}

/// A world in which everybody goes on.
#[derive(Debug)]
pub struct UnprotectedSuspended;

impl Reader for UnprotectedReader {
    type Suspended<'r> = UnprotectedSuspended;

    fn suspend(&mut self) -> UnprotectedSuspended {
        UnprotectedSuspended
    }
}

impl Translate for UnprotectedSuspended {
    type Hold<'h> = Free;

    fn hold(&self) -> Free {
        Free
    }
}
