//! What every lock and its readers take in memory, counted by the allocator: the same bytes on every
//! run, so `results/footprint.csv` must say the same.
//!
//! `cargo test --test footprint -- --ignored record` writes it anew.

use ptom::backend::Native;
use ptom::lab::footprint::{CURE, FILE, Footprint, READERS};
use ptom::native::each_native;
use ptom::scheme::{Scheme, Size, Tables, Translate, Visit};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::sync::{Barrier, Mutex, PoisonError};
use std::thread;

thread_local! {
    static COUNTED: Cell<bool> = const { Cell::new(false) };
}
static BYTES: AtomicI64 = AtomicI64::new(0);

/// The system's allocator; counts what is asked for within [`counted`].
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn add(bytes: i64) {
    if COUNTED.with(Cell::get) {
        BYTES.fetch_add(bytes, SeqCst);
    }
}

// SAFETY: it only counts beside the system's allocator; the thread-local has no destructor and allocates
// nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size() as i64);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        add(-(layout.size() as i64));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}

/// Counts what `work` allocates and does not free.
fn counted<R>(work: impl FnOnce() -> R) -> R {
    COUNTED.with(|counted| counted.set(true));
    let result = work();
    COUNTED.with(|counted| counted.set(false));
    result
}

#[derive(Default)]
struct Footprints(Vec<Footprint>);

impl Visit<Native> for Footprints {
    fn visit<S: Scheme<Native>>(&mut self) {
        self.0.extend(READERS.map(footprint::<S>));
    }
}

fn footprint<S: Scheme<Native>>(readers: usize) -> Footprint {
    BYTES.store(0, SeqCst);
    let size = Size {
        readers,
        tables: Tables {
            cpus: Some(readers),
            ..Tables::FULL
        },
    };
    let scheme = counted(|| S::new(size));
    let made = BYTES.load(SeqCst);
    let (done, next) = channel();
    let all = Barrier::new(readers + 1);
    let held = thread::scope(|scope| {
        for _ in 0..readers {
            let (scheme, all, done) = (&scheme, &all, done.clone());
            let small = thread::Builder::new().stack_size(128 << 10);
            let started = small.spawn_scoped(scope, move || {
                let reader = counted(|| {
                    let reader = scheme.reader().expect("room for every reader");
                    drop(reader.hold());
                    reader
                });
                done.send(()).expect("somebody counts");
                all.wait();
                drop(reader);
            });
            started.expect("a thread");
            // One after the other: who comes first may matter.
            next.recv().expect("a reader");
        }
        let held = BYTES.load(SeqCst);
        all.wait();
        held
    });
    Footprint {
        scheme: S::NAME.to_owned(),
        readers,
        lock: size_of::<S>(),
        made,
        reader: size_of::<S::Reader<'_>>(),
        held,
    }
}

fn count() -> String {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut footprints = Footprints::default();
    each_native(&mut footprints);
    let mut csv = csv::Writer::from_writer(Vec::new());
    for row in &footprints.0 {
        csv.serialize(row).unwrap();
    }
    String::from_utf8(csv.into_inner().unwrap()).unwrap()
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("results")
        .join(FILE)
}

#[test]
#[ignore = "writes results/footprint.csv"]
fn record() {
    std::fs::write(file(), count()).unwrap();
}

#[test]
fn the_footprints_are_as_recorded() {
    let recorded = std::fs::read_to_string(file()).expect(CURE);
    let counted = count();
    let differs = counted.lines().zip(recorded.lines()).find(|(a, b)| a != b);
    assert_eq!(differs, None, "counted, recorded: {CURE}");
    assert_eq!(counted, recorded, "{CURE}");
}
