//! [`Raw`]: a scheme as `lock_api` wants it.

#![allow(unsafe_code)]

#[cfg(test)]
mod tests;

use super::excludes::Excludes;
use super::handle::Handle;
use super::shards::{Patience, Shards};
use core::marker::PhantomData;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use lock_api::{GuardNoSend, RawRwLock, RawRwLockRecursive};
use std::sync::Arc;

/// A scheme as a raw lock: readers register by themselves, each thread once. See the
/// [module](super) for what it costs.
///
/// Not fair to writers among each other; between readers and a writer it does what the scheme does.
#[derive(Debug)]
pub struct Raw<S: Excludes> {
    /// Of an `Arc`, made by the first who locks, null before; behind a pointer, so that the lock may move.
    shards: AtomicPtr<Shards<S>>,
    owns: PhantomData<Arc<Shards<S>>>,
}

impl<S: Excludes> Raw<S> {
    /// An unlocked lock.
    pub const fn new() -> Self {
        Self {
            shards: AtomicPtr::new(ptr::null_mut()),
            owns: PhantomData,
        }
    }

    /// The shards, if they are made.
    fn made(&self) -> Option<&Shards<S>> {
        // ORDERING: Acquire pairs with the Release in `shards`: who finds them finds them whole. If the look
        // is first, there are none.
        let shards = self.shards.load(Acquire);
        // SAFETY: once made they last as long as we do.
        unsafe { shards.as_ref() }
    }

    /// The shards, made if need be.
    fn shards(&self) -> Arc<Shards<S>> {
        if self.made().is_none() {
            self.offer(Arc::new(Shards::new()));
        }
        // ORDERING: as in `made`.
        let shards = self.shards.load(Acquire);
        // SAFETY: it comes from `Arc::into_raw`, and our share of it stays.
        unsafe {
            Arc::increment_strong_count(shards);
            Arc::from_raw(shards)
        }
    }

    /// Makes these the shards, unless there are some.
    fn offer(&self, new: Arc<Shards<S>>) {
        let new = Arc::into_raw(new).cast_mut();
        // ORDERING: Release pairs with the Acquire in `made`. Who is second finds the first one's there,
        // and frees its own.
        let first = self
            .shards
            .compare_exchange(ptr::null_mut(), new, Release, Relaxed);
        if first.is_err() {
            // SAFETY: ours, and nobody has seen it.
            drop(unsafe { Arc::from_raw(new) });
        }
    }

    /// The calling thread's handle, if it has one.
    #[inline]
    fn handle(&self) -> Option<NonNull<Handle<S>>> {
        // Relaxed: a thread that has a handle made it itself, after the shards.
        Handle::find(self.shards.load(Relaxed))
    }

    /// The calling thread's first read. Out of line, with all that it needs: the others save no registers.
    #[cold]
    #[inline(never)]
    fn first_read(&self) {
        Handle::register(&self.shards(), Patience::Wait);
    }

    /// # Safety
    /// As [`RawRwLock::unlock_exclusive`].
    unsafe fn resume(&self) {
        let shards = self.made().expect("it is locked");
        // SAFETY: the caller's promise.
        unsafe { shards.unlock_exclusive() }
    }
}

impl<S: Excludes> Default for Raw<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Excludes> Drop for Raw<S> {
    fn drop(&mut self) {
        let shards = *self.shards.get_mut();
        if !shards.is_null() {
            // SAFETY: from `Arc::into_raw`; our share of it goes with us.
            unsafe { Arc::from_raw(shards) }.bury();
        }
    }
}

// SAFETY: a read is a hold of one shard, from the outermost to its end; a write is a suspend of every
// shard, and none is added meanwhile. `Excludes` promises that they exclude each other, and hand memory
// over. A guard stays with its thread, as its handle does. A hold whose guard was leaked lasts as long as
// the lock: its handle is not freed before.
unsafe impl<S: Excludes> RawRwLock for Raw<S> {
    #[allow(clippy::declare_interior_mutable_const)]
    const INIT: Self = Self::new();

    type GuardMarker = GuardNoSend;

    #[inline]
    fn lock_shared(&self) {
        match self.handle() {
            // SAFETY: this thread's, and just found.
            Some(handle) => unsafe { Handle::enter(handle) },
            None => self.first_read(),
        }
    }

    fn try_lock_shared(&self) -> bool {
        let shards = self.shards();
        match self.handle() {
            // SAFETY: likewise, and these are its shards.
            Some(handle) => unsafe { Handle::try_enter(handle, &shards) },
            None => Handle::register(&shards, Patience::Try),
        }
    }

    #[inline]
    unsafe fn unlock_shared(&self) {
        let handle = self
            .handle()
            .expect("a read ends on the thread that began it");
        // SAFETY: the caller's promise.
        unsafe { Handle::leave(handle) }
    }

    fn lock_exclusive(&self) {
        self.shards().lock_exclusive(Patience::Wait);
    }

    fn try_lock_exclusive(&self) -> bool {
        self.shards().lock_exclusive(Patience::Try)
    }

    unsafe fn unlock_exclusive(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.resume() }
    }

    fn is_locked_exclusive(&self) -> bool {
        self.made()
            .is_some_and(|shards| shards.is_locked_exclusive())
    }
}

// SAFETY: every read may be within another: an inner one only counts.
unsafe impl<S: Excludes> RawRwLockRecursive for Raw<S> {
    #[inline]
    fn lock_shared_recursive(&self) {
        self.lock_shared();
    }

    fn try_lock_shared_recursive(&self) -> bool {
        self.try_lock_shared()
    }
}
