//! A lock's tables: each is a scheme of its own, made when those before it are full.
//!
//! Invariant: who writes holds `state` for writing *and* has suspended every shard; so does who adds a
//! shard hold `state`, and no shard is added during a write. A reader holds in the one shard where it is
//! registered. So a write excludes every reader that the scheme would.
//!
//! | field | written by |
//! |---|---|
//! | `state.shards` | who has `state` for writing |
//! | `writing`, `exclusive` | the writer, between its suspends and its resumes |
//! | `dead` | the lock's drop, once |

#![allow(unsafe_code)]

#[cfg(test)]
mod tests;

use super::excludes::Excludes;
use crate::scheme::{Reader, Size};
use core::cell::UnsafeCell;
use core::fmt;
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use std::boxed::Box;
use std::sync::{PoisonError, RwLock, RwLockWriteGuard, TryLockError};
use std::vec::Vec;

/// Readers that the first table of a lock has room for; each further table has twice as many as the
/// one before.
pub const FIRST: usize = 16;

/// A registered reader of a shard, whose lifetime is looked after here.
pub(super) type ReaderOf<S> = <S as crate::scheme::Scheme<crate::backend::Native>>::Reader<'static>;
/// Its suspend.
type SuspendedOf<S> = <ReaderOf<S> as Reader>::Suspended<'static>;

/// Whether to wait for a writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    Wait,
    Try,
}

/// Everything of a lock but its data.
pub(super) struct Shards<S: Excludes> {
    /// Held for reading by who registers or tries to read, for writing by who writes or adds a shard.
    state: RwLock<Vec<Shard<S>>>,
    /// The write under way.
    writing: UnsafeCell<MaybeUninit<Write<'static, S>>>,
    exclusive: AtomicBool,
    /// The lock is gone: handles may go.
    pub(super) dead: AtomicBool,
}

/// A scheme, and the reader that suspends it; both on the heap, and freed by [`Shards`].
struct Shard<S: Excludes> {
    scheme: NonNull<S>,
    suspender: NonNull<ReaderOf<S>>,
    suspended: Option<SuspendedOf<S>>,
    readers: usize,
}

/// A write, or one that is being tried: `state`, and whichever shards are suspended. However it ends, by a
/// panic of the scheme too, they resume before `state` is let go.
struct Write<'s, S: Excludes>(RwLockWriteGuard<'s, Vec<Shard<S>>>);

impl<S: Excludes> Drop for Write<'_, S> {
    fn drop(&mut self) {
        for shard in self.0.iter_mut() {
            shard.suspended = None;
        }
    }
}

// SAFETY: a scheme is Send and Sync, a reader Send. A `SuspendedOf` and what is in `writing` are made and
// dropped by the same thread, since a write guard is not Send; forgotten, they are touched by nobody.
unsafe impl<S: Excludes> Send for Shards<S> {}
// SAFETY: as above; `writing` is touched by the writer alone.
unsafe impl<S: Excludes> Sync for Shards<S> {}

impl<S: Excludes> Shard<S> {
    fn new(readers: usize) -> Self {
        // Another one for the suspender.
        let scheme = NonNull::from(Box::leak(Box::new(S::new(Size::readers(readers + 1)))));
        // SAFETY: freed by `Shards` only, after all readers.
        let suspender = unsafe { scheme.as_ref() }.reader();
        let suspender = suspender.expect("a new scheme has room for one");
        Self {
            scheme,
            suspender: NonNull::from(Box::leak(Box::new(suspender))),
            suspended: None,
            readers,
        }
    }

    /// A registered reader, if there is room.
    fn reader(&self) -> Option<ReaderOf<S>> {
        // SAFETY: as in `new`; a handle keeps its `Shards`.
        unsafe { self.scheme.as_ref() }.reader().ok()
    }

    fn suspend(&mut self, patience: Patience) -> bool {
        // SAFETY: we have `state` for writing, and the last `SuspendedOf` is dropped: nobody else uses it.
        let suspender = unsafe { &mut *self.suspender.as_ptr() };
        self.suspended = match patience {
            Patience::Wait => Some(suspender.suspend()),
            Patience::Try => suspender.try_suspend(),
        };
        self.suspended.is_some()
    }
}

impl<S: Excludes> Shards<S> {
    pub(super) const fn new() -> Self {
        Self {
            state: RwLock::new(Vec::new()),
            writing: UnsafeCell::new(MaybeUninit::uninit()),
            exclusive: AtomicBool::new(false),
            dead: AtomicBool::new(false),
        }
    }

    /// Registers the calling thread; `None` if that would have to wait, and may not.
    ///
    /// # Safety
    /// The reader is dropped before `self`.
    pub(super) unsafe fn reader(&self, patience: Patience) -> Option<ReaderOf<S>> {
        let found = match patience {
            Patience::Wait => self.state.read().unwrap_or_else(PoisonError::into_inner),
            Patience::Try => granted(self.state.try_read())?,
        };
        if let Some(reader) = found.iter().find_map(Shard::reader) {
            return Some(reader);
        }
        drop(found);
        let mut state = self.write(patience)?;
        // Meanwhile somebody may have left, or added one.
        if let Some(reader) = state.iter().find_map(Shard::reader) {
            return Some(reader);
        }
        let readers = state.last().map_or(FIRST, |last| last.readers * 2);
        let shard = Shard::new(readers);
        let reader = shard.reader();
        state.push(shard);
        reader
    }

    /// Runs `enter` while nobody writes or is about to; `None` if somebody does.
    pub(super) fn unwritten<R>(&self, enter: impl FnOnce() -> R) -> Option<R> {
        let _nobody_writes = granted(self.state.try_read())?;
        Some(enter())
    }

    fn write(&self, patience: Patience) -> Option<RwLockWriteGuard<'_, Vec<Shard<S>>>> {
        match patience {
            Patience::Wait => Some(self.state.write().unwrap_or_else(PoisonError::into_inner)),
            Patience::Try => granted(self.state.try_write()),
        }
    }

    /// Suspends every shard. False if somebody reads or writes, and it may not wait.
    pub(super) fn lock_exclusive(&self, patience: Patience) -> bool {
        // SAFETY: `unlock_exclusive` drops the write before `self` goes; a leaked one is never dropped.
        let this: &'static Self = unsafe { &*core::ptr::from_ref(self) };
        let Some(mut write) = this.write(patience).map(Write) else {
            return false;
        };
        if !write.0.iter_mut().all(|shard| shard.suspend(patience)) {
            return false;
        }
        self.exclusive.store(true, Relaxed);
        // SAFETY: `state` is ours, and with it this field.
        unsafe { (*self.writing.get()).write(write) };
        true
    }

    /// Resumes every shard.
    ///
    /// # Safety
    /// The calling thread has locked it exclusively, and not unlocked since.
    pub(super) unsafe fn unlock_exclusive(&self) {
        // SAFETY: written by `lock_exclusive`, of this thread, and read once.
        let write = unsafe { (*self.writing.get()).assume_init_read() };
        self.exclusive.store(false, Relaxed);
        drop(write);
    }

    /// Whether somebody writes, at some instant.
    pub(super) fn is_locked_exclusive(&self) -> bool {
        self.exclusive.load(Relaxed)
    }

    /// The lock is gone, and whatever guards of it were leaked.
    pub(super) fn bury(&self) {
        // ORDERING: Release pairs with the Acquire in `is_dead`: who frees a handle of this lock does so
        // after all that was done with the lock.
        self.dead.store(true, Release);
    }
}

/// Whether the lock of this flag is gone.
pub(super) fn is_dead(dead: &AtomicBool) -> bool {
    // ORDERING: Acquire pairs with the Release in `bury`; if we look first, the handle stays for now.
    dead.load(Acquire)
}

fn granted<G>(tried: Result<G, TryLockError<G>>) -> Option<G> {
    match tried {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

impl<S: Excludes> Drop for Shards<S> {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        for shard in state.drain(..) {
            // Of a write guard that was leaked: nobody waits for it any more, and it may belong to another
            // thread.
            core::mem::forget(shard.suspended);
            // SAFETY: both were leaked in `Shard::new`. Every handle is gone, since it keeps us; the suspender
            // goes before its scheme.
            unsafe {
                drop(Box::from_raw(shard.suspender.as_ptr()));
                drop(Box::from_raw(shard.scheme.as_ptr()));
            }
        }
    }
}

impl<S: Excludes> fmt::Debug for Shards<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shards")
            .field("exclusive", &self.is_locked_exclusive())
            .finish_non_exhaustive()
    }
}
