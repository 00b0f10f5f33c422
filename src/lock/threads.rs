//! How a thread finds its handle of a lock, and what becomes of its handles when it ends.
//!
//! Each thread has a small hash table of lists, by lock; nobody else ever sees it. It has no destructor,
//! so it can be used until the very end of the thread, from destructors of other thread-locals too. A
//! second thread-local has one, and nothing else: when it runs, idle handles go, and those that hold
//! go with their last read. One whose guard was leaked stays, as the lock must: that read never ends.

#![allow(unsafe_code)]

use super::handle::Link;
use core::cell::Cell;
use core::ptr::NonNull;
use std::thread_local;

/// Lists a thread; more locks than that only share them.
const LISTS: usize = 16;

/// The end of a list, and the first of an empty one: a link of no lock, so that a look-up compares once.
type List = Cell<NonNull<Link>>;

/// [`Link::nobody`], which has cells, in a static.
struct Nobody(Link);

// SAFETY: nobody writes to it: it is the end of every list, and never taken out of one.
unsafe impl Sync for Nobody {}

static NOBODY: Nobody = Nobody(Link::nobody());

const END: NonNull<Link> = NonNull::from_ref(&NOBODY.0);

thread_local! {
    static TABLE: [List; LISTS] = const { [const { Cell::new(END) }; LISTS] };
    static REAPER: Reaper = const { Reaper };
}

/// Runs when the thread ends.
struct Reaper;

#[inline]
fn list_of(lock: *const ()) -> usize {
    (lock.addr() >> 6) % LISTS
}

/// The calling thread's handle of a lock.
#[inline]
pub(super) fn find(lock: *const ()) -> Option<NonNull<Link>> {
    TABLE.with(|table| {
        let list = &table[list_of(lock)];
        // The list's own pointer, since it is to the whole of a handle.
        let first = list.get();
        // SAFETY: what is in a list is not freed, and is this thread's.
        if unsafe { first.as_ref() }.lock == lock {
            return Some(first);
        }
        find_further(list, lock)
    })
}

/// Finds what is not the first of its list, and makes it the first.
#[cold]
fn find_further(list: &List, lock: *const ()) -> Option<NonNull<Link>> {
    let found = take(list, |link| link.lock == lock)?;
    push(list, found);
    Some(found)
}

fn push(list: &List, link: NonNull<Link>) {
    // SAFETY: as in `find`.
    unsafe { link.as_ref() }.next.set(list.get());
    list.set(link);
}

/// Takes the first link that is `wanted` out of a list.
fn take(list: &List, wanted: impl Fn(&Link) -> bool) -> Option<NonNull<Link>> {
    let mut place = list;
    loop {
        let link = place.get();
        if link == END {
            return None;
        }
        // SAFETY: as in `find`; the reference ends before anything is freed.
        let here = unsafe { link.as_ref() };
        if wanted(here) {
            place.set(here.next.get());
            return Some(link);
        }
        place = &here.next;
    }
}

/// Frees every handle of which `may_go` is true: [`Link::idle`], or less.
fn sweep(may_go: fn(&Link) -> bool) {
    TABLE.with(|table| {
        for list in table {
            while let Some(link) = take(list, may_go) {
                // SAFETY: idle, and out of its list.
                unsafe { Link::free(link) };
            }
        }
    });
}

/// Adds a handle to the calling thread's, and frees those of locks that are gone. False if the thread is
/// ending, so that nobody will free it.
pub(super) fn insert(link: NonNull<Link>) -> bool {
    sweep(Link::orphaned);
    // SAFETY: the caller's own, and whole.
    let lock = unsafe { link.as_ref() }.lock;
    TABLE.with(|table| push(&table[list_of(lock)], link));
    REAPER.try_with(|_| ()).is_ok()
}

/// Takes a handle out of its list, and frees it.
///
/// # Safety
/// It is this thread's, holds nothing, and is not used any more.
pub(super) unsafe fn remove(link: NonNull<Link>) {
    // SAFETY: as in `find`.
    let lock = unsafe { link.as_ref() }.lock;
    let taken =
        TABLE.with(|table| take(&table[list_of(lock)], |other| NonNull::from(other) == link));
    if let Some(link) = taken {
        // SAFETY: the caller's promise, and it is out of its list.
        unsafe { Link::free(link) };
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        sweep(Link::idle);
        TABLE.with(|table| {
            for list in table {
                let mut place = list.get();
                while place != END {
                    // SAFETY: as in `find`.
                    let link = unsafe { place.as_ref() };
                    link.ends();
                    place = link.next.get();
                }
            }
        });
    }
}
