//! A scheme in a few functions, so that a twin is only its mistake.

use ptom::backend::Backend;
use ptom::primitive::Slots;
use ptom::scheme::{Claims, Describe, Full, Reader, Scheme, Size, Translate};
use std::cell::Cell;
use std::fmt::Debug;
use std::marker::PhantomData;

/// How readers and the suspender meet; `me` is a reader's number.
pub(super) trait Protocol<B: Backend>: Debug + Send + Sync + 'static {
    /// Nobody is inside.
    fn new(size: Size) -> Self;
    /// A hold begins.
    fn enter(&self, me: usize);
    /// A hold ends.
    fn leave(&self, me: usize);
    /// A suspend begins.
    fn suspend(&self, me: usize);
    /// A suspend ends.
    fn resume(&self, me: usize);
    /// A reader has unregistered, and its number may be another's by now.
    fn departed(&self, me: usize) {
        let _ = me;
    }
    /// Whether the suspender's own translations are holds like any other's.
    const SUSPENDER_HOLDS: bool = false;
}

/// The scheme that a protocol makes.
#[derive(Debug)]
pub(super) struct Toy<B: Backend, P> {
    protocol: P,
    readers: Slots<B, ()>,
}

impl<B: Backend, P> Describe for Toy<B, P> {
    const NAME: &'static str = "toy";
    const PRECEDENT: &'static str = "none: a twin";
    const CLAIMS: Claims = Claims {
        holds: true,
        nests: true,
        bounded_wait: false,
        sleeps_in_hold: false,
        snapshot_free_of_writes: false,
        needs_quiescence: false,
        suspends_alone: true,
        drop_ends_leaks: false,
    };
}

/// A reader.
#[derive(Debug)]
pub(super) struct ToyReader<'s, B: Backend, P: Protocol<B>> {
    scheme: &'s Toy<B, P>,
    me: usize,
    not_sync: PhantomData<Cell<()>>,
}

/// A hold.
pub(super) struct ToyHold<'h, B: Backend, P: Protocol<B>>(&'h ToyReader<'h, B, P>);

/// A suspend.
pub(super) struct ToySuspended<'r, B: Backend, P: Protocol<B>>(&'r ToyReader<'r, B, P>);

impl<B: Backend, P: Protocol<B>> Scheme<B> for Toy<B, P> {
    type Reader<'s> = ToyReader<'s, B, P>;

    fn new(size: Size) -> Self {
        Self {
            protocol: P::new(size),
            readers: Slots::new(size.readers, || ()),
        }
    }

    fn reader(&self) -> Result<ToyReader<'_, B, P>, Full> {
        Ok(ToyReader {
            scheme: self,
            me: self.readers.claim()?,
            not_sync: PhantomData,
        })
    }
}

impl<B: Backend, P: Protocol<B>> Drop for ToyReader<'_, B, P> {
    fn drop(&mut self) {
        self.scheme.readers.release(self.me);
        self.scheme.protocol.departed(self.me);
    }
}

impl<B: Backend, P: Protocol<B>> Translate for ToyReader<'_, B, P> {
    type Hold<'h>
        = ToyHold<'h, B, P>
    where
        Self: 'h;

    fn hold(&self) -> ToyHold<'_, B, P> {
        self.scheme.protocol.enter(self.me);
        ToyHold(self)
    }
}

impl<B: Backend, P: Protocol<B>> Drop for ToyHold<'_, B, P> {
    fn drop(&mut self) {
        self.0.scheme.protocol.leave(self.0.me);
    }
}

impl<B: Backend, P: Protocol<B>> Reader for ToyReader<'_, B, P> {
    type Suspended<'r>
        = ToySuspended<'r, B, P>
    where
        Self: 'r;

    fn suspend(&mut self) -> ToySuspended<'_, B, P> {
        self.scheme.protocol.suspend(self.me);
        ToySuspended(self)
    }
}

impl<B: Backend, P: Protocol<B>> Translate for ToySuspended<'_, B, P> {
    type Hold<'h>
        = Option<ToyHold<'h, B, P>>
    where
        Self: 'h;

    fn hold(&self) -> Option<ToyHold<'_, B, P>> {
        P::SUSPENDER_HOLDS.then(|| self.0.hold())
    }
}

impl<B: Backend, P: Protocol<B>> Drop for ToySuspended<'_, B, P> {
    fn drop(&mut self) {
        self.0.scheme.protocol.resume(self.0.me);
    }
}
