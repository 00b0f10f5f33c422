//! What every model has: a scheme, something for it to protect, and its actors.
//!
//! The suspender is loom's main thread; each reader is a thread of its own. All of them are
//! registered before any of them runs and unregistered after all have ended, so that a model about
//! holds does not explore registrations (`departs` does).
//!
//! [`Payload`] is what a hold protects: plain memory. Whether two accesses of it race is decided by
//! loom's own detector, and not by anything written here.

#![allow(unsafe_code)]

use crate::backend::{Atomic, Backend};
use crate::scheme::{Reader, Scheme, Size};
use loom::cell::UnsafeCell;
use loom::thread;

/// Locks of a sharded scheme: enough for two readers on two of them.
const SHARDS: usize = 2;

/// Plain memory, watched by loom.
#[derive(Debug)]
pub struct Payload(UnsafeCell<u64>);

// SAFETY: loom runs one thread at a time, on one OS thread, and panics before an access that the
// program has not ordered after the last conflicting one.
unsafe impl Sync for Payload {}

impl Default for Payload {
    fn default() -> Self {
        Self(UnsafeCell::new(0))
    }
}

impl Payload {
    /// Reads; loom reports a race with a write that is not ordered before or after.
    #[track_caller]
    pub fn read(&self) -> u64 {
        // SAFETY: loom panics instead of running this when a write is concurrent; see `Sync` above.
        self.0.with(|value| unsafe { *value })
    }

    /// Writes; loom reports a race with any access that is not ordered before or after.
    #[track_caller]
    pub fn write(&self, new: u64) {
        // SAFETY: loom panics instead of running this when an access is concurrent; see `Sync` above.
        self.0.with_mut(|value| unsafe { *value = new });
    }
}

/// The scheme, and what it protects.
#[derive(Debug)]
pub struct Stage<B: Backend, S> {
    /// The scheme.
    pub scheme: S,
    /// What a hold protects.
    pub payload: Payload,
    /// What a snapshot protects: two entries of a P2M, always equal when no suspend is under way.
    pub p2m: [B::U64; 2],
    /// A word that orders nothing and protects nothing, to see what happened.
    pub flag: B::U64,
}

/// What an actor does: it gets the stage and a registered reader, and gives the reader back.
pub type Role<B, S> = fn(
    &'static Stage<B, S>,
    <S as Scheme<B>>::Reader<'static>,
) -> <S as Scheme<B>>::Reader<'static>;

/// One execution: so many readers of the same role, and the suspender.
pub fn play<B: Backend, S: Scheme<B>>(readers: usize, reader: Role<B, S>, suspender: Role<B, S>) {
    cast(vec![reader; readers], suspender);
}

/// One execution: a thread for each role, and the suspender.
pub fn cast<B: Backend, S: Scheme<B>>(roles: Vec<Role<B, S>>, suspender: Role<B, S>) {
    let size = Size {
        readers: roles.len() + 1,
        shards: SHARDS,
    };
    let owned = Box::into_raw(Box::new(Stage::<B, S> {
        scheme: S::new(size),
        payload: Payload::default(),
        p2m: [B::U64::new(0), B::U64::new(0)],
        flag: B::U64::new(0),
    }));
    // SAFETY: the box is freed below, after the last use of any reader; until then nobody has it.
    let stage: &'static Stage<B, S> = unsafe { &*owned };
    let register = || stage.scheme.reader().expect("a slot for each actor");

    let me = register();
    let actors: Vec<_> = roles.into_iter().map(|role| (role, register())).collect();
    let start = |(role, actor): (Role<B, S>, S::Reader<'static>)| {
        thread::spawn(move || leave::<B, S>(role(stage, actor)))
    };
    let threads: Vec<_> = actors.into_iter().map(start).collect();
    let me = suspender(stage, me);
    let ended: Vec<_> = threads.into_iter().map(|t| t.join().unwrap()).collect();
    drop(ended);
    drop(me);
    // SAFETY: from `Box::into_raw` above; every thread has ended and every reader is dropped.
    drop(unsafe { Box::from_raw(owned) });
}

/// A reader that will not run again must not keep a suspender waiting that waits for its next
/// quiescent point: such a reader goes offline. The others are kept, to be dropped at the end.
fn leave<B: Backend, S: Scheme<B>>(mut actor: S::Reader<'static>) -> Option<S::Reader<'static>> {
    actor.quiescent();
    (!S::CLAIMS.needs_quiescence).then_some(actor)
}
