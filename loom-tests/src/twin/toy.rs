//! A scheme in four functions, so that a twin is only its mistake.

use ptom::backend::Backend;
use ptom::scheme::{Claims, Describe, Free, Full, Reader, Scheme, Size, Translate};
use std::cell::Cell;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// How readers and the suspender meet; `me` is a reader's number.
pub(super) trait Protocol<B: Backend>: Debug + Send + Sync + 'static {
    /// Nobody is inside.
    fn new(size: Size) -> Self;
    /// A hold begins.
    fn enter(&self, me: usize);
    /// A hold ends.
    fn leave(&self, me: usize);
    /// A suspend begins.
    fn suspend(&self);
    /// A suspend ends.
    fn resume(&self);
}

/// The scheme that a protocol makes.
#[derive(Debug)]
pub(super) struct Toy<B, P> {
    protocol: P,
    /// Readers so far; not a word of the model's, for it orders nothing.
    readers: AtomicUsize,
    backend: PhantomData<B>,
}

impl<B, P> Describe for Toy<B, P> {
    const NAME: &'static str = "toy";
    const PRECEDENT: &'static str = "none: a twin";
    const CLAIMS: Claims = Claims {
        holds: true,
        nests: false,
        bounded_wait: false,
        sleeps_in_hold: false,
        snapshot_free_of_writes: false,
        needs_quiescence: false,
    };
}

/// A reader.
#[derive(Debug)]
pub(super) struct ToyReader<'s, B, P> {
    scheme: &'s Toy<B, P>,
    me: usize,
    not_sync: PhantomData<Cell<()>>,
}

/// A hold.
pub(super) struct ToyHold<'h, B: Backend, P: Protocol<B>>(&'h ToyReader<'h, B, P>);

/// A suspend.
pub(super) struct ToySuspended<'r, B: Backend, P: Protocol<B>>(&'r Toy<B, P>);

impl<B: Backend, P: Protocol<B>> Scheme<B> for Toy<B, P> {
    type Reader<'s> = ToyReader<'s, B, P>;

    fn new(size: Size) -> Self {
        Self {
            protocol: P::new(size),
            readers: AtomicUsize::new(0),
            backend: PhantomData,
        }
    }

    fn reader(&self) -> Result<ToyReader<'_, B, P>, Full> {
        Ok(ToyReader {
            scheme: self,
            me: self.readers.fetch_add(1, Relaxed),
            not_sync: PhantomData,
        })
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
        self.scheme.protocol.suspend();
        ToySuspended(self.scheme)
    }
}

impl<B: Backend, P: Protocol<B>> Translate for ToySuspended<'_, B, P> {
    type Hold<'h>
        = Free
    where
        Self: 'h;

    fn hold(&self) -> Free {
        Free
    }
}

impl<B: Backend, P: Protocol<B>> Drop for ToySuspended<'_, B, P> {
    fn drop(&mut self) {
        self.0.protocol.resume();
    }
}
