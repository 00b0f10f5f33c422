//! One thread's reader of one lock.
//!
//! Invariant: a handle is used by the thread that made it, and by nobody else. `depth` counts its
//! reads within one another; while it is not 0, `hold` is the outermost one's guard. So an inner read
//! only counts, and asks the scheme for nothing.
//!
//! A handle may be freed by the end of a read, so what is done to one takes a pointer to it, and borrows
//! it only in between: a reference that is an argument must not dangle before its call returns.

#![allow(unsafe_code)]

use super::excludes::Excludes;
use super::shards::{Patience, ReaderOf, Shards, is_dead};
use super::threads;
use crate::scheme::Translate;
use core::cell::{Cell, UnsafeCell};
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use core::sync::atomic::AtomicBool;
use std::boxed::Box;
use std::sync::Arc;

/// In `depth`: the handle goes when its last read ends, since its thread is ending.
const LAST: u64 = 1 << 63;

/// What a thread's list of handles knows of one, whatever the scheme.
pub(super) struct Link {
    /// Which lock: the address of its shards, which the handle keeps.
    pub(super) lock: *const (),
    /// The next in the thread's list.
    pub(super) next: Cell<NonNull<Link>>,
    depth: Cell<u64>,
    dead: NonNull<AtomicBool>,
    free: unsafe fn(NonNull<Link>),
}

/// A thread's registered reader, with its place in the thread's list first.
#[repr(C)]
pub(super) struct Handle<S: Excludes> {
    link: Link,
    hold: UnsafeCell<MaybeUninit<HoldOf<S>>>,
    reader: ReaderOf<S>,
    /// After the reader, which is in it.
    _shards: Arc<Shards<S>>,
}

type HoldOf<S> = <ReaderOf<S> as Translate>::Hold<'static>;

impl Link {
    /// A link of no lock.
    pub(super) const fn nobody() -> Self {
        Self {
            lock: core::ptr::without_provenance(1),
            next: Cell::new(NonNull::dangling()),
            depth: Cell::new(0),
            dead: NonNull::dangling(),
            free: |_| {},
        }
    }

    /// Whether it can go: it holds nothing, or its lock is gone.
    pub(super) fn idle(&self) -> bool {
        self.depth.get() == 0 || self.orphaned()
    }

    /// Whether its lock is gone; what it still holds was leaked.
    pub(super) fn orphaned(&self) -> bool {
        // SAFETY: the flag is in the shards that this handle keeps.
        is_dead(unsafe { self.dead.as_ref() })
    }

    /// Its thread ends: it goes with its last read.
    pub(super) fn ends(&self) {
        self.depth.set(self.depth.get() | LAST);
    }

    /// Unregisters.
    ///
    /// # Safety
    /// It is [`idle`](Self::idle), and in no list.
    pub(super) unsafe fn free(this: NonNull<Self>) {
        // SAFETY: the caller's promise is that of `free` too.
        unsafe { (this.as_ref().free)(this) }
    }
}

impl<S: Excludes> Handle<S> {
    /// The calling thread's handle, if it has one. It stays until a read of it ends.
    #[inline]
    pub(super) fn find(shards: *const Shards<S>) -> Option<NonNull<Self>> {
        // The link is the first field of a handle of these shards, hence of this scheme.
        Some(threads::find(shards.cast())?.cast())
    }

    /// Registers the calling thread, which has no handle, and begins its first read. False if that would have
    /// to wait, and may not.
    #[cold]
    pub(super) fn register(shards: &Arc<Shards<S>>, patience: Patience) -> bool {
        // SAFETY: the handle drops it before the shards that it keeps.
        let Some(reader) = (unsafe { shards.reader(patience) }) else {
            return false;
        };
        let handle = Box::new(Self {
            link: Link {
                lock: Arc::as_ptr(shards).cast(),
                next: Cell::new(NonNull::dangling()),
                depth: Cell::new(0),
                dead: NonNull::from(&shards.dead),
                free: free::<S>,
            },
            hold: UnsafeCell::new(MaybeUninit::uninit()),
            reader,
            _shards: Arc::clone(shards),
        });
        let handle = NonNull::from(Box::leak(handle));
        let stays = threads::insert(handle.cast());
        // SAFETY: just made; freed by this thread only, when it is idle.
        let enter = || unsafe { Self::enter(handle) };
        let entered = match patience {
            Patience::Wait => {
                enter();
                true
            }
            Patience::Try => shards.unwritten(enter).is_some(),
        };
        match (entered, stays) {
            (_, true) => {}
            // SAFETY: as above; it holds.
            (true, false) => unsafe { handle.as_ref() }.link.ends(),
            // SAFETY: it holds nothing, and leaves the list here.
            (false, false) => unsafe { threads::remove(handle.cast()) },
        }
        entered
    }

    /// Begins a read.
    ///
    /// # Safety
    /// It is the calling thread's, and there.
    #[inline]
    pub(super) unsafe fn enter(this: NonNull<Self>) {
        // SAFETY: the caller's promise. It is there for as long as the hold, for which it is borrowed.
        let here: &'static Self = unsafe { this.as_ref() };
        let depth = here.link.depth.get();
        if depth == 0 {
            let hold = here.reader.hold();
            // SAFETY: this thread's alone, and empty: nothing is held.
            unsafe { (*here.hold.get()).write(hold) };
        }
        // It stays below `LAST`: 2^63 guards at once are more than there is memory for, and leaking as many
        // takes longer than anybody waits.
        here.link.depth.set(depth + 1);
    }

    /// Begins a read if nobody writes.
    ///
    /// # Safety
    /// As [`enter`](Self::enter), and they are its shards.
    pub(super) unsafe fn try_enter(this: NonNull<Self>, shards: &Shards<S>) -> bool {
        // SAFETY: the caller's promise.
        let enter = || unsafe { Self::enter(this) };
        // SAFETY: likewise.
        if unsafe { this.as_ref() }.link.depth.get() != 0 {
            enter();
            return true;
        }
        // While nobody is about to write no hold can wait.
        shards.unwritten(enter).is_some()
    }

    /// Ends a read, after which the handle may be gone.
    ///
    /// # Safety
    /// One was begun, on this thread, and not ended since.
    #[inline]
    pub(super) unsafe fn leave(this: NonNull<Self>) {
        // SAFETY: it is there: somebody reads.
        let here = unsafe { this.as_ref() };
        let depth = here.link.depth.get() - 1;
        here.link.depth.set(depth);
        if depth == 0 {
            // SAFETY: the outermost read wrote it, and this is its end.
            drop(unsafe { (*here.hold.get()).assume_init_read() });
        } else if depth == LAST {
            // SAFETY: the caller's promise, and that was the last.
            unsafe { Self::leave_last(this) };
        }
    }

    /// Ends the last read of a thread that ends, and frees the handle.
    ///
    /// # Safety
    /// As [`leave`](Self::leave), and no other read is left.
    #[cold]
    unsafe fn leave_last(this: NonNull<Self>) {
        // SAFETY: as in `leave`.
        let here = unsafe { this.as_ref() };
        // SAFETY: as in `leave`.
        drop(unsafe { (*here.hold.get()).assume_init_read() });
        here.link.depth.set(0);
        // SAFETY: it holds nothing, and nobody borrows it any more.
        unsafe { threads::remove(this.cast()) };
    }
}

/// Frees a handle by its link.
///
/// # Safety
/// As [`Link::free`], of a handle of this scheme.
unsafe fn free<S: Excludes>(link: NonNull<Link>) {
    // SAFETY: leaked in `register`, and nobody's any more. `hold` is empty, or its lock is gone.
    drop(unsafe { Box::from_raw(link.cast::<Handle<S>>().as_ptr()) });
}
