//! A wait for a grace period that ends, one way or the other.
//!
//! Some libraries have no synchronous wait, and one may never come to an end. A run must not hang
//! for it: whoever waits longer than [`PATIENCE`] gives up, and the row says so.

use std::thread;
use std::time::{Duration, Instant};

/// The longest wait for a grace period.
pub const PATIENCE: Duration = Duration::from_secs(1);

/// Looks this often before it yields.
const SPINS: u32 = 128;

/// Looks until it is `over`; says whether it is.
pub fn wait(mut over: impl FnMut() -> bool) -> bool {
    for _ in 0..SPINS {
        if over() {
            return true;
        }
        std::hint::spin_loop();
    }
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if over() {
            return true;
        }
        thread::yield_now();
    }
    over()
}
