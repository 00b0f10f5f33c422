//! A table that every thread reads all the time, and one thread replaces now and then: `ptom::RwLock`.
//!
//! `cargo run --release --example rw_lock`

use ptom::RwLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// Routes by their number; both columns change together.
static ROUTES: RwLock<[(u32, u32); 4]> = RwLock::new([(0, 0); 4]);

fn main() {
    let stop = AtomicBool::new(false);
    let (reads, writes) = thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut reads = 0u64;
                    while !stop.load(Relaxed) {
                        let routes = ROUTES.read();
                        let (to, by) = routes[reads as usize % routes.len()];
                        assert_eq!(to, by, "half of a new table");
                        reads += 1;
                    }
                    reads
                })
            })
            .collect();
        let begin = Instant::now();
        let mut writes = 0u32;
        while begin.elapsed() < Duration::from_millis(200) {
            writes += 1;
            for route in ROUTES.write().iter_mut() {
                *route = (writes, writes);
            }
            thread::sleep(Duration::from_millis(1));
        }
        stop.store(true, Relaxed);
        let reads = readers
            .into_iter()
            .map(|reader| reader.join().expect("no half table"));
        (reads.sum::<u64>(), writes)
    });
    println!("{reads} reads, {writes} new tables, and nobody saw half of one");
}
