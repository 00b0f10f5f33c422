//! What every model has: a scheme, something for it to protect, and its actors.
//!
//! The suspender is loom's main thread; each reader is a thread of its own. All of them are
//! registered before any of them runs and unregistered after all have ended, so that a model about
//! holds does not explore registrations (`departs` and `joins` do).
//!
//! [`Payload`] is what a hold protects: plain memory. Whether two accesses of it race is decided by
//! loom's own detector, and not by anything written here.

#![allow(unsafe_code)]

use crate::backend::{Atomic, Backend};
use crate::scheme::{Reader, Scheme, Size, Tables};
use loom::cell::UnsafeCell;
use loom::thread;
use std::fmt;

/// Locks of a sharded scheme: enough for two readers on two of them; three and more shall meet.
fn tables(readers: usize) -> Tables {
    Tables {
        shards: if readers > 3 { 1 } else { 2 },
        ..Tables::SMALL
    }
}

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
    /// A word to sleep on.
    pub signal: B::U32,
}

/// What an actor does: it gets the stage and a registered reader, and gives a reader back.
pub type Role<B, S> = fn(
    &'static Stage<B, S>,
    <S as Scheme<B>>::Reader<'static>,
) -> <S as Scheme<B>>::Reader<'static>;

/// What an actor does that is not registered yet.
pub type Late<B, S> = fn(&'static Stage<B, S>) -> <S as Scheme<B>>::Reader<'static>;

/// One execution: so many readers of the same role, and the suspender.
pub fn play<B: Backend, S: Scheme<B>>(readers: usize, reader: Role<B, S>, suspender: Role<B, S>) {
    Play::with(vec![reader; readers]).run(suspender);
}

/// One execution, by its actors; each has a thread of its own, but the main one.
#[derive(Debug)]
pub struct Play<B: Backend, S: Scheme<B>> {
    /// Registered before anybody runs.
    roles: Vec<Role<B, S>>,
    /// Registering themselves.
    late: Vec<Late<B, S>>,
}

impl<B: Backend, S: Scheme<B>> Play<B, S> {
    /// Actors that are registered before anybody runs.
    pub fn with(roles: Vec<Role<B, S>>) -> Self {
        Self {
            roles,
            late: Vec::new(),
        }
    }

    /// One more actor, that is not registered.
    pub fn and_late(mut self, role: Late<B, S>) -> Self {
        self.late.push(role);
        self
    }

    /// Runs them all, and the main actor.
    pub fn run(self, main: Role<B, S>) {
        self.run_after(|stage, me, others| {
            others.start();
            main(stage, me)
        });
    }

    /// Runs the main actor, who says when the others start.
    pub fn run_after(
        self,
        main: impl FnOnce(
            &'static Stage<B, S>,
            S::Reader<'static>,
            &mut Others<B, S>,
        ) -> S::Reader<'static>,
    ) {
        let readers = self.roles.len() + self.late.len() + 1;
        let size = Size {
            readers,
            tables: tables(readers),
        };
        let owned = Box::into_raw(Box::new(Stage::<B, S> {
            scheme: S::new(size),
            payload: Payload::default(),
            p2m: [B::U64::new(0), B::U64::new(0)],
            flag: B::U64::new(0),
            signal: B::U32::new(0),
        }));
        // SAFETY: the box is freed below, after the last use of any reader; until then nobody has it.
        let stage: &'static Stage<B, S> = unsafe { &*owned };
        let register = || stage.scheme.reader().expect("a slot for each actor");

        let me = register();
        let mut others = Others {
            stage,
            waiting: self
                .roles
                .into_iter()
                .map(|role| (role, register()))
                .collect(),
            late: self.late,
            running: Vec::new(),
        };
        let me = leave::<B, S>(main(stage, me, &mut others));
        let ended: Vec<_> = others
            .running
            .into_iter()
            .map(|t| t.join().unwrap())
            .collect();
        drop((ended, others.waiting, me));
        // SAFETY: from `Box::into_raw` above; every thread has ended and every reader is dropped.
        drop(unsafe { Box::from_raw(owned) });
    }
}

/// The actors beside the main one.
pub struct Others<B: Backend, S: Scheme<B>> {
    stage: &'static Stage<B, S>,
    waiting: Vec<(Role<B, S>, S::Reader<'static>)>,
    late: Vec<Late<B, S>>,
    running: Vec<thread::JoinHandle<Option<S::Reader<'static>>>>,
}

impl<B: Backend, S: Scheme<B>> Others<B, S> {
    /// Lets them run.
    pub fn start(&mut self) {
        let stage = self.stage;
        for (role, actor) in self.waiting.drain(..) {
            self.running
                .push(thread::spawn(move || leave::<B, S>(role(stage, actor))));
        }
        for role in self.late.drain(..) {
            self.running
                .push(thread::spawn(move || leave::<B, S>(role(stage))));
        }
    }
}

impl<B: Backend, S: Scheme<B>> fmt::Debug for Others<B, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Others")
    }
}

/// A reader that will not run again must not keep a suspender waiting that waits for its next
/// quiescent point: such a reader goes offline. The others are kept, to be dropped at the end.
fn leave<B: Backend, S: Scheme<B>>(mut actor: S::Reader<'static>) -> Option<S::Reader<'static>> {
    actor.quiescent();
    (!S::CLAIMS.needs_quiescence).then_some(actor)
}
