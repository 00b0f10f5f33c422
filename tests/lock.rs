//! The locks for data, `ptom::RwLock` and the raw locks: nothing torn, nothing lost, nobody left waiting.

use lock_api::RawRwLock;
use ptom::lock::FIRST;
use ptom::{RawPerCpu, RawPerCpuAsym, RwLock};
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

/// Long enough for a thread that can go on to have done so.
const SOON: Duration = Duration::from_millis(50);

/// Longer than any thread takes that goes on at all.
const LONG: Duration = Duration::from_secs(20);

static NUMBER: RwLock<u64> = RwLock::new(1);

#[test]
fn a_static_is_a_constant() {
    assert_eq!(*NUMBER.read(), 1);
    *NUMBER.write() += 1;
    assert_eq!(*NUMBER.read(), 2);
}

/// Readers, far more than the first table has room for, look at a pair that writers change in two steps.
fn stress<R: RawRwLock + Send + Sync>(threads: usize, rounds: u64) {
    let pair = lock_api::RwLock::<R, _>::new((0u64, 0u64));
    let together = Barrier::new(threads);
    thread::scope(|scope| {
        for thread in 0..threads {
            let (pair, together) = (&pair, &together);
            scope.spawn(move || {
                together.wait();
                for round in 0..rounds {
                    if thread % 8 == 0 && round % 8 == 0 {
                        let mut guard = pair.write();
                        guard.0 += 1;
                        thread::yield_now();
                        guard.1 += 1;
                    }
                    let outer = pair.read();
                    let inner = pair.read();
                    assert_eq!(outer.0, inner.1, "torn");
                    if round % 16 == 0 {
                        thread::yield_now();
                        assert_eq!(outer.0, inner.1, "changed under a reader");
                    }
                }
            });
        }
    });
    let writers = (threads as u64).div_ceil(8);
    assert_eq!(
        *pair.read(),
        (writers * rounds.div_ceil(8), writers * rounds.div_ceil(8))
    );
}

#[test]
fn more_threads_than_slots_see_nothing_torn() {
    stress::<RawPerCpuAsym>(FIRST * 4, 64);
    stress::<RawPerCpu>(FIRST * 4, 64);
}

#[test]
fn two_threads_see_nothing_torn() {
    stress::<RawPerCpuAsym>(2, 20_000);
    stress::<RawPerCpu>(2, 20_000);
}

/// A lock makes its tables when it is first used: whoever is second must find those of the first.
#[test]
fn two_threads_that_are_first_make_one_lock() {
    let locks: Vec<_> = (0..5_000)
        .map(|_| lock_api::RwLock::<RawPerCpu, _>::new(0))
        .collect();
    let came = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for (turn, lock) in (1..).zip(&locks) {
                    // As nearly at once as can be: they spin, but for a machine with one CPU.
                    came.fetch_add(1, SeqCst);
                    for spin in 0u32.. {
                        if came.load(SeqCst) >= 2 * turn {
                            break;
                        }
                        if spin % 1_024 == 1_023 {
                            thread::yield_now();
                        }
                    }
                    *lock.write() += 1;
                    assert!((1..=2).contains(&*lock.read()));
                }
            });
        }
    });
    assert!(locks.iter().all(|lock| *lock.read() == 2));
}

#[test]
fn a_read_within_a_read_passes_a_waiting_writer() {
    let lock = RwLock::new(0);
    thread::scope(|scope| {
        let outer = lock.read();
        scope.spawn(|| *lock.write() += 1);
        thread::sleep(SOON);
        assert_eq!((*lock.read(), *outer), (0, 0));
        let tried = lock.try_read().map(|inner| *inner);
        assert_eq!(tried, Some(0), "within a read it cannot have to wait");
    });
    assert_eq!(*lock.read(), 1);
}

#[test]
fn a_reader_that_comes_during_a_write_waits_and_sees_it() {
    let lock = RwLock::new(0);
    thread::scope(|scope| {
        let mut guard = lock.write();
        let reader = scope.spawn(|| *lock.read());
        thread::sleep(SOON);
        assert!(!reader.is_finished(), "it read during a write");
        *guard = 1;
        drop(guard);
        assert_eq!(reader.join().unwrap(), 1);
    });
}

#[test]
fn trying_never_waits() {
    let lock = RwLock::new(0);
    let elsewhere = |attempt: fn(&RwLock<i32>) -> bool| {
        thread::scope(|scope| scope.spawn(|| attempt(&lock)).join().unwrap())
    };
    let reads = |lock: &RwLock<i32>| lock.try_read().is_some();
    let writes = |lock: &RwLock<i32>| lock.try_write().is_some();
    assert!(elsewhere(reads) && elsewhere(writes) && reads(&lock) && writes(&lock));
    {
        let _read = lock.read();
        assert!(elsewhere(reads) && reads(&lock));
        assert!(!elsewhere(writes) && !writes(&lock));
        assert!(lock.is_locked() && !lock.is_locked_exclusive());
    }
    {
        let _write = lock.write();
        assert!(!elsewhere(reads) && !elsewhere(writes));
        assert!(lock.is_locked() && lock.is_locked_exclusive());
    }
    assert!(!lock.is_locked() && !lock.is_locked_exclusive());
    assert!(elsewhere(reads) && elsewhere(writes));
}

/// Where waiting would never end, since the thread waits for itself.
#[test]
fn trying_fails_within_a_guard_of_ones_own() {
    for has_read in [false, true] {
        let (sender, receiver) = channel();
        thread::spawn(move || {
            let lock = RwLock::new(0);
            if has_read {
                drop(lock.read());
            }
            let tries = || {
                let read = lock.try_read().is_some();
                (read, lock.try_write().is_some())
            };
            let write = lock.write();
            let within_write = tries();
            drop(write);
            let read = lock.read();
            let within_read = tries();
            drop(read);
            let _ = sender.send((within_write, within_read, tries()));
        });
        let tried = receiver.recv_timeout(LONG);
        let expected = ((false, false), (true, false), (true, true));
        assert_eq!(tried, Ok(expected), "has read before: {has_read}");
    }
}

#[test]
fn a_thread_that_has_read_before_does_not_wait_to_try() {
    let lock = Arc::new(RwLock::new(0));
    let theirs = Arc::clone(&lock);
    let (go, gone) = channel();
    let (sender, receiver) = channel();
    thread::spawn(move || {
        drop(theirs.read());
        let _ = sender.send(true);
        let _ = gone.recv();
        let _ = sender.send(theirs.try_read().is_some());
    });
    assert_eq!(receiver.recv(), Ok(true));
    let guard = lock.write();
    go.send(()).unwrap();
    let tried = receiver.recv_timeout(LONG);
    assert_eq!(tried, Ok(false), "it read during a write, or waits");
    drop(guard);
}

#[test]
fn a_try_write_that_fails_at_a_later_table_lets_go_of_those_before() {
    let lock = Arc::new(RwLock::new(0));
    let (registered, again) = (Barrier::new(FIRST + 1), Barrier::new(FIRST + 1));
    let both = Arc::new((registered, again));
    let (sender, receiver) = channel();
    for _ in 0..FIRST {
        let (lock, both, sender) = (Arc::clone(&lock), Arc::clone(&both), sender.clone());
        thread::spawn(move || {
            drop(lock.read());
            both.0.wait();
            both.1.wait();
            let _ = sender.send(*lock.read());
        });
    }
    both.0.wait();
    // The first table is full, so this read is in the second.
    let _read = lock.read();
    let elsewhere = Arc::clone(&lock);
    let refused = thread::spawn(move || elsewhere.try_write().is_none());
    assert!(refused.join().unwrap());
    both.1.wait();
    for _ in 0..FIRST {
        assert_eq!(receiver.recv_timeout(LONG), Ok(0), "still kept out");
    }
}

#[test]
fn a_thread_that_ends_during_a_write_gives_its_slot_back() {
    let lock = RwLock::new(0);
    let (registered, go) = (Barrier::new(FIRST + 1), Barrier::new(FIRST + 1));
    thread::scope(|scope| {
        let threads: Vec<_> = (0..FIRST)
            .map(|_| {
                scope.spawn(|| {
                    assert_eq!(*lock.read(), 0);
                    registered.wait();
                    go.wait();
                })
            })
            .collect();
        registered.wait();
        let mut guard = lock.write();
        go.wait();
        for thread in threads {
            thread.join().unwrap();
        }
        *guard = 1;
        drop(guard);
    });
    // They come and go, by the hundreds.
    for _ in 0..FIRST * 8 {
        thread::scope(|scope| scope.spawn(|| assert_eq!(*lock.read(), 1)).join().unwrap());
    }
    *lock.write() = 2;
}

#[test]
fn a_leaked_read_lasts_longer_than_its_thread() {
    let lock: &'static RwLock<String> = Box::leak(Box::new(RwLock::new("old".to_owned())));
    let kept: &'static str = thread::spawn(|| Box::leak(Box::new(lock.read())).as_str())
        .join()
        .unwrap();
    assert!(lock.try_write().is_none(), "it would change under {kept}");
    assert_eq!(kept, "old");
}

#[test]
fn a_lock_with_a_leaked_guard_can_be_dropped_by_its_owner() {
    for _ in 0..100 {
        let lock = RwLock::new(vec![1]);
        std::mem::forget(lock.read());
        assert_eq!(lock.into_inner(), [1]);
        let lock = RwLock::new(vec![1]);
        std::mem::forget(lock.write());
        assert_eq!(lock.into_inner(), [1]);
    }
}

#[test]
fn a_lock_may_move_between_two_uses() {
    let lock = RwLock::new(1);
    assert_eq!(*lock.read(), 1);
    let moved = Box::new(lock);
    let guard = moved.read();
    let elsewhere = || moved.try_write().is_none();
    assert!(thread::scope(|s| s.spawn(elsewhere).join().unwrap()));
    drop(guard);
    assert!(moved.try_write().is_some());
}

#[test]
fn many_locks_at_once_are_counted_apart() {
    let locks: Vec<_> = (0..100).map(RwLock::new).collect();
    let mut guards: Vec<_> = locks.iter().map(|lock| lock.read()).collect();
    for (at, lock) in locks.iter().enumerate() {
        assert_eq!(*lock.read(), at);
        assert!(lock.try_write().is_none());
    }
    // Not in the order in which they were taken.
    for at in (0..100).step_by(2) {
        guards.swap(at, 99 - at);
    }
    drop(guards);
    assert!(locks.iter().all(|lock| lock.try_write().is_some()));
}

thread_local! {
    static LATE: RefCell<Option<Late>> = const { RefCell::new(None) };
}

/// Reads when its thread ends, and lets go of what it has held so long.
struct Late(
    Arc<RwLock<u32>>,
    Option<ptom::RwLockReadGuard<'static, u32>>,
    std::sync::mpsc::Sender<u32>,
);

impl Drop for Late {
    fn drop(&mut self) {
        let seen = *self.0.read() + *self.0.read();
        self.1 = None;
        let _ = self.2.send(seen + u32::from(self.0.try_read().is_some()));
    }
}

#[test]
fn a_thread_reads_until_its_very_end() {
    static HELD: RwLock<u32> = RwLock::new(7);
    let lock = Arc::new(RwLock::new(20));
    let (sender, receiver) = channel();
    for first in [true, false] {
        let (theirs, sender) = (Arc::clone(&lock), sender.clone());
        let thread = thread::spawn(move || {
            // Destructors run in either order, by who was first.
            if first {
                drop(theirs.read());
            }
            LATE.with(|late| {
                *late.borrow_mut() = Some(Late(Arc::clone(&theirs), Some(HELD.read()), sender));
            });
            assert_eq!(*theirs.read(), 20);
        });
        thread.join().unwrap();
        assert_eq!(receiver.recv().unwrap(), 41);
        assert!(HELD.try_write().is_some(), "its read went with its thread");
        assert!(lock.try_write().is_some());
    }
}

#[test]
fn a_panic_lets_go() {
    let lock = Arc::new(RwLock::new(0));
    for write in [false, true] {
        let lock = Arc::clone(&lock);
        let panics = thread::spawn(move || {
            let _read = (!write).then(|| lock.read());
            let _write = write.then(|| lock.write());
            panic!("as planned");
        });
        assert!(panics.join().is_err());
    }
    assert!(lock.try_write().is_some());
}

#[test]
fn it_shows_its_value_or_that_it_is_locked() {
    let lock = RwLock::new(5);
    assert_eq!(format!("{lock:?}"), "RwLock { data: 5 }");
    let _guard = lock.write();
    let elsewhere = || format!("{lock:?}");
    let shown = thread::scope(|scope| scope.spawn(elsewhere).join().unwrap());
    assert_eq!(shown, "RwLock { data: <locked> }");
}

#[test]
fn writers_take_turns() {
    let (lock, inside) = (RwLock::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..200 {
                    let mut guard = lock.write();
                    assert!(!inside.swap(true, SeqCst), "two at once");
                    *guard += 1;
                    inside.store(false, SeqCst);
                }
            });
        }
    });
    assert_eq!(*lock.read(), 800);
}
