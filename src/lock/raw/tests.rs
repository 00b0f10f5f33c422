//! What a lock leaves behind: a share of its tables for each thread that has read it, and for no longer.

use super::*;
use crate::lock::RawPerCpuAsym;
use std::cell::RefCell;
use std::sync::Weak;
use std::thread;

type Lock = lock_api::RwLock<RawPerCpuAsym, ()>;
type Guard<'l> = lock_api::RwLockReadGuard<'l, RawPerCpuAsym, ()>;

fn raw(lock: &Lock) -> &RawPerCpuAsym {
    // SAFETY: nothing is unlocked by it.
    unsafe { lock.raw() }
}

/// How many handles there are: each has a share of the tables, beside the lock's and the one asked for
/// here.
fn handles(lock: &Lock) -> usize {
    Arc::strong_count(&raw(lock).shards()) - 2
}

#[test]
fn a_thread_takes_its_handle_with_it() {
    let lock = Lock::new(());
    let reads = || {
        drop((lock.read(), lock.read()));
        assert_eq!(handles(&lock), 1, "one a thread, however often it reads");
    };
    thread::scope(|scope| scope.spawn(reads).join().unwrap());
    assert_eq!(handles(&lock), 0);
}

#[test]
fn a_leaked_read_keeps_its_handle() {
    let lock = Lock::new(());
    let leaks = || core::mem::forget(lock.read());
    thread::scope(|scope| scope.spawn(leaks).join().unwrap());
    assert_eq!(handles(&lock), 1);
}

std::thread_local! {
    static LATE: RefCell<Option<Late>> = const { RefCell::new(None) };
}

/// At the end of its thread lets go of one lock, and reads another.
struct Late(Option<Guard<'static>>, Arc<Lock>);

impl Drop for Late {
    fn drop(&mut self) {
        self.0 = None;
        drop((self.1.read(), self.1.read()));
    }
}

#[test]
fn what_is_read_at_the_very_end_of_a_thread_leaves_nothing() {
    static HELD: Lock = Lock::new(());
    let lock = Arc::new(Lock::new(()));
    // Destructors of thread-locals run in either order, by which was there first.
    for first in [true, false] {
        let theirs = Arc::clone(&lock);
        let ends = thread::spawn(move || {
            if first {
                drop(theirs.read());
            }
            LATE.with(|late| *late.borrow_mut() = Some(Late(None, theirs)));
            LATE.with(|late| late.borrow_mut().as_mut().unwrap().0 = Some(HELD.read()));
        });
        ends.join().unwrap();
        assert_eq!((handles(&HELD), handles(&lock)), (0, 0), "first: {first}");
    }
}

/// Drops a lock that this thread has read, with or without leaking the guard; gives its tables.
fn dropped(leak: bool) -> Weak<impl Sized> {
    let lock = Lock::new(());
    let guard = lock.read();
    if leak {
        core::mem::forget(guard);
    }
    Arc::downgrade(&raw(&lock).shards())
}

#[test]
fn the_tables_of_a_lock_that_is_gone_go_when_their_thread_first_reads_another() {
    for leak in [false, true] {
        let tables = dropped(leak);
        assert_eq!(tables.strong_count(), 1, "this thread's handle");
        let other = Lock::new(());
        drop(other.read());
        assert_eq!(tables.strong_count(), 0, "leaked: {leak}");
    }
}

#[test]
fn the_tables_of_a_lock_that_is_gone_go_with_their_thread() {
    for leak in [false, true] {
        let ends = thread::spawn(move || dropped(leak));
        assert_eq!(ends.join().unwrap().strong_count(), 0, "leaked: {leak}");
    }
}

#[test]
fn of_two_who_make_the_tables_the_second_takes_those_of_the_first() {
    let lock = Lock::new(());
    let (first, second) = (Arc::new(Shards::new()), Arc::new(Shards::new()));
    raw(&lock).offer(Arc::clone(&first));
    raw(&lock).offer(Arc::clone(&second));
    assert!(Arc::ptr_eq(&raw(&lock).shards(), &first));
    assert_eq!(Arc::strong_count(&second), 1, "the second's is freed");
}
