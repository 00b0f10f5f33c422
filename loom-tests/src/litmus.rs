//! What loom and the backend do, pinned down: each thing that the models rely on, and each
//! shortcoming that they work around. If one of these changes, so must what leans on it.

use loom::sync::atomic::AtomicU32;
use loom::sync::{Condvar, Mutex};
use loom::thread;
use ptom::backend::{Atomic, Backend};
use ptom::conformance::case::Case;
use ptom::conformance::exhaustive::Loom;
use ptom::conformance::exhaustive::mutation::AsWritten;
use ptom::conformance::exhaustive::stage::Payload;
use ptom::conformance::verdict::{Expected, Kind};
use std::sync::Arc;
use std::sync::atomic::Ordering::{self, Acquire, Relaxed, Release, SeqCst};

type U32 = <Loom as Backend>::U32;
type U64 = <Loom as Backend>::U64;

/// All litmus tests; each has two threads, and is explored completely.
pub fn all() -> Vec<Case> {
    const BOTH_ZERO: Expected = Expected::Fail(Kind::Assertion, "neither saw the other");
    const DISAGREE: Expected = Expected::Fail(Kind::Assertion, "the readers disagree");
    const STALE: Expected = Expected::Fail(Kind::Assertion, "a stale first store");
    let case = |model, body, expected| Case {
        scheme: "litmus".to_owned(),
        model,
        readers: 1,
        threads: 2,
        long: false,
        bound: None,
        body,
        spurious: false,
        expected,
    };
    vec![
        case(
            "sb-fenced",
            |_| store_buffer(Relaxed, Loom::<AsWritten>::fence),
            Expected::Pass,
        ),
        case("sb-asymmetric", |_| asymmetric(), Expected::Pass),
        case("sb-unfenced", |_| store_buffer(Relaxed, |_| ()), BOTH_ZERO),
        // A false alarm: the language forbids it. loom treats SeqCst accesses as AcqRel.
        case(
            "sb-seqcst-accesses",
            |_| store_buffer(SeqCst, |_| ()),
            BOTH_ZERO,
        ),
        // The language allows the stale value, and the backend must show it. loom's own fence does
        // not: it never runs later than the store before it.
        case(
            "fence-overtaken",
            |_| overtaken(Loom::<AsWritten>::fence),
            STALE,
        ),
        case(
            "fence-overtaken-in-loom",
            |_| overtaken(loom::sync::atomic::fence),
            Expected::Pass,
        ),
        case("mp", |_| message(Release, Acquire), Expected::Pass),
        case(
            "mp-relaxed-store",
            |_| message(Relaxed, Acquire),
            Expected::RACE,
        ),
        case(
            "mp-relaxed-load",
            |_| message(Release, Relaxed),
            Expected::RACE,
        ),
        // Two readers of two independent stores: acquiring loads may see them in either order, and loom
        // shows it; with a SeqCst fence between its loads, each reader sees the one order.
        case("iriw", |_| independent(|_| ()), DISAGREE),
        case(
            "iriw-fenced",
            |_| independent(Loom::<AsWritten>::fence),
            Expected::Pass,
        ),
        case("futex-opened-by-store", |_| futex(true), Expected::Pass),
        case("futex-without-wake", |_| futex(false), Expected::DEADLOCK),
        case("futex-that-stores", |_| storing_futex(), Expected::DEADLOCK),
        case(
            "mp-futex",
            |_| futex_message(Release, Acquire),
            Expected::Pass,
        ),
        case(
            "mp-futex-relaxed",
            |_| futex_message(Relaxed, Relaxed),
            Expected::RACE,
        ),
    ]
}

/// Store buffering: of two threads that store and then load, one sees the other.
fn store_buffer(order: Ordering, fence: fn(Ordering)) {
    let [x, y] = [0, 0].map(|v| Arc::new(U64::new(v)));
    let (x2, y2) = (x.clone(), y.clone());
    let other = thread::spawn(move || {
        x2.store(1, order);
        fence(SeqCst);
        y2.load(order)
    });
    y.store(1, order);
    fence(SeqCst);
    let seen = x.load(order);
    assert!(seen + other.join().unwrap() > 0, "neither saw the other");
}

/// The same with the asymmetric pair.
fn asymmetric() {
    let [x, y] = [0, 0].map(|v| Arc::new(U64::new(v)));
    let (x2, y2) = (x.clone(), y.clone());
    let other = thread::spawn(move || {
        x2.store(1, Relaxed);
        Loom::<AsWritten>::light_fence();
        y2.load(Relaxed)
    });
    y.store(1, Relaxed);
    Loom::<AsWritten>::heavy_fence();
    let seen = x.load(Relaxed);
    assert!(seen + other.join().unwrap() > 0, "neither saw the other");
}

/// Who sees the second store, but whose fence comes before the writer's, may miss the first.
fn overtaken(fence: fn(Ordering)) {
    let [x, y] = [0, 0].map(|v| Arc::new(U64::new(v)));
    let (x2, y2) = (x.clone(), y.clone());
    let other = thread::spawn(move || {
        x2.store(1, Relaxed);
        y2.store(1, Relaxed);
        fence(SeqCst);
    });
    let second = y.load(Relaxed);
    fence(SeqCst);
    assert!(second == 0 || x.load(Relaxed) == 1, "a stale first store");
    other.join().unwrap();
}

/// Independent reads of independent writes.
fn independent(fence: fn(Ordering)) {
    let [x, y] = [0, 0].map(|v| Arc::new(U64::new(v)));
    let writers = [x.clone(), y.clone()].map(|word| thread::spawn(move || word.store(1, Release)));
    let (x2, y2) = (x.clone(), y.clone());
    let other = thread::spawn(move || {
        let first = x2.load(Acquire);
        fence(SeqCst);
        (first, y2.load(Acquire))
    });
    let first = y.load(Acquire);
    fence(SeqCst);
    let mine = (first, x.load(Acquire));
    let both = (mine, other.join().unwrap());
    assert!(both != ((1, 0), (1, 0)), "the readers disagree");
    for writer in writers {
        writer.join().unwrap();
    }
}

/// Message passing: who sees the flag sees the payload.
fn message(store: Ordering, load: Ordering) {
    let shared = Arc::new((Payload::default(), U64::new(0)));
    let sender = shared.clone();
    let other = thread::spawn(move || {
        sender.0.write(1);
        sender.1.store(1, store);
    });
    if shared.1.load(load) == 1 {
        shared.0.read();
    }
    other.join().unwrap();
}

/// A word opened by a plain store, and a waiter that must not sleep for ever.
fn futex(wakes: bool) {
    let gate = Arc::new(U32::new(1));
    let waiter = gate.clone();
    let other = thread::spawn(move || {
        while waiter.load(Relaxed) == 1 {
            Loom::<AsWritten>::wait(&waiter, 1);
        }
    });
    gate.store(0, Relaxed);
    if wakes {
        Loom::<AsWritten>::wake_all(&gate);
    }
    other.join().unwrap();
}

/// Message passing to a waiter.
fn futex_message(store: Ordering, load: Ordering) {
    let shared = Arc::new((Payload::default(), U32::new(0)));
    let sender = shared.clone();
    let other = thread::spawn(move || {
        sender.0.write(1);
        sender.1.store(1, store);
        Loom::<AsWritten>::wake_all(&sender.1);
    });
    while shared.1.load(load) == 0 {
        Loom::<AsWritten>::wait(&shared.1, 0);
    }
    shared.0.read();
    other.join().unwrap();
}

/// [`futex`], with a wait that looks at the word by a read-modify-write that stores what was there:
/// loom may order it after the waker's plain store, which it then undoes.
fn storing_futex() {
    let shared = Arc::new((AtomicU32::new(1), Mutex::new(()), Condvar::new()));
    let waiter = shared.clone();
    let other = thread::spawn(move || {
        let (gate, mutex, opened) = &*waiter;
        while gate.load(Relaxed) == 1 {
            let asleep = mutex.lock().unwrap();
            if gate.fetch_or(0, Relaxed) == 1 {
                drop(opened.wait(asleep).unwrap());
            }
        }
    });
    let (gate, mutex, opened) = &*shared;
    gate.store(0, Relaxed);
    let nobody_falls_asleep = mutex.lock().unwrap();
    opened.notify_all();
    drop(nobody_falls_asleep);
    other.join().unwrap();
}
