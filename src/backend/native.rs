//! The real machine: std's atomics, the futex, and `membarrier(2)`.
//!
//! Nothing here is state of ours but one flag, [`MEMBARRIER`]: whether the kernel let this process
//! register for the private expedited barrier. It is asked once, by the first scheme that wants to
//! know; the kernel's answer cannot change afterwards.

use super::{Atomic, Backend};
use core::sync::atomic::{self, AtomicU32, AtomicU64, Ordering};
use core::time::Duration;
use rustix::thread::{MembarrierCommand, futex, membarrier};
use std::sync::OnceLock;

/// Whether `membarrier` is there for this process.
static MEMBARRIER: OnceLock<bool> = OnceLock::new();

/// Turns of whoever polls that only pause the CPU: long enough for a reader on another CPU to leave a hold of
/// ordinary length.
const SPINS: u32 = 64;
/// Turns of whoever polls before its first nap, of which those after [`SPINS`] yield, since a descheduled reader needs
/// the CPU more than we do. Nobody wakes it: holds as long as system calls, and not only shorter ones, should end
/// before a nap, which lasts longer than they do.
const POLLS: u32 = 2_048;
/// Turns of whoever will be woken, before it sleeps: longer than a heavy fence, since for the suspender's all readers
/// wait.
const TURNS: u32 = 2_048;
/// One of so many yields, since who is waited for may need this very CPU; the others only pause it. Were there more
/// that yield, a heavy fence, which interrupts the CPU of who waits, would find it in a system call more often than
/// not, and take half as long again.
const YIELD_EVERY: u32 = 128;
/// A nap, once spinning and yielding have not helped.
const NAP: Duration = Duration::from_micros(50);

/// The machine this program runs on.
///
/// Waiting is `futex(2)`, private to the process. The light fence is a compiler fence and the heavy
/// one `membarrier(PRIVATE_EXPEDITED)`: microseconds, and more in a virtual machine, where an interrupt of
/// another CPU leaves the guest (report.md, `heavy_fence` in block `suspend`).
/// Where the kernel refuses it (no CONFIG_MEMBARRIER, or a seccomp filter), `asymmetric()` says so; where a filter
/// is set afterwards, the heavy fence panics, since nothing could keep its promise.
#[derive(Clone, Copy, Debug)]
pub struct Native;

impl Backend for Native {
    type U32 = AtomicU32;
    type U64 = AtomicU64;

    #[inline]
    fn fence(order: Ordering) {
        atomic::fence(order);
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    fn fence_after_rmw() {
        // The `lock`-prefixed instruction before it is the fence; the compiler must not move anything
        // across either.
        atomic::compiler_fence(Ordering::SeqCst);
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    fn store_mb(word: &AtomicU64, value: u64, _: Ordering) {
        word.swap(value, Ordering::SeqCst);
        Self::fence_after_rmw();
    }

    #[inline]
    fn light_fence() {
        atomic::compiler_fence(Ordering::SeqCst);
    }

    fn heavy_fence() {
        if Self::asymmetric() {
            // A filter may have been set since we asked: then nothing is left that keeps the promise.
            let done = membarrier(MembarrierCommand::PrivateExpedited);
            done.expect("membarrier, which the kernel has granted before");
        } else {
            // Nobody may rely on the pair; a full fence is the best there is.
            atomic::fence(Ordering::SeqCst);
        }
    }

    fn asymmetric() -> bool {
        *MEMBARRIER.get_or_init(|| {
            membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok()
                && membarrier(MembarrierCommand::PrivateExpedited).is_ok()
        })
    }

    fn wait(word: &AtomicU32, expected: u32) {
        // Who waits for a holder that runs, or could, waits less than falling asleep and being woken
        // take: a queue of sleepers, once formed, would pay that at every hand-over.
        for turn in 1..=TURNS {
            if word.load(Ordering::Relaxed) != expected {
                return;
            }
            if turn % YIELD_EVERY == 0 {
                std::thread::yield_now();
            } else {
                core::hint::spin_loop();
            }
        }
        // Every outcome (woken, changed, interrupted) means the same to a caller: look again.
        let _ = futex::wait(word, futex::Flags::PRIVATE, expected, None);
    }

    fn wake_all(word: &AtomicU32) {
        let _ = futex::wake(word, futex::Flags::PRIVATE, i32::MAX as u32);
    }

    fn relax(turn: u32) {
        if turn < SPINS {
            core::hint::spin_loop();
        } else if turn < POLLS {
            std::thread::yield_now();
        } else {
            std::thread::sleep(NAP);
        }
    }
}

impl Atomic<u32> for AtomicU32 {
    #[inline]
    fn new(value: u32) -> Self {
        AtomicU32::new(value)
    }
    #[inline]
    fn load(&self, order: Ordering) -> u32 {
        AtomicU32::load(self, order)
    }
    #[inline]
    fn store(&self, value: u32, order: Ordering) {
        AtomicU32::store(self, value, order);
    }
    #[inline]
    fn swap(&self, value: u32, order: Ordering) -> u32 {
        AtomicU32::swap(self, value, order)
    }
    #[inline]
    fn compare_exchange(
        &self,
        current: u32,
        new: u32,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u32, u32> {
        AtomicU32::compare_exchange(self, current, new, success, failure)
    }
    #[inline]
    fn compare_exchange_weak(
        &self,
        current: u32,
        new: u32,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u32, u32> {
        AtomicU32::compare_exchange_weak(self, current, new, success, failure)
    }
    #[inline]
    fn fetch_add(&self, value: u32, order: Ordering) -> u32 {
        AtomicU32::fetch_add(self, value, order)
    }
    #[inline]
    fn fetch_sub(&self, value: u32, order: Ordering) -> u32 {
        AtomicU32::fetch_sub(self, value, order)
    }
    #[inline]
    fn fetch_and(&self, value: u32, order: Ordering) -> u32 {
        AtomicU32::fetch_and(self, value, order)
    }
    #[inline]
    fn fetch_or(&self, value: u32, order: Ordering) -> u32 {
        AtomicU32::fetch_or(self, value, order)
    }
}

impl Atomic<u64> for AtomicU64 {
    #[inline]
    fn new(value: u64) -> Self {
        AtomicU64::new(value)
    }
    #[inline]
    fn load(&self, order: Ordering) -> u64 {
        AtomicU64::load(self, order)
    }
    #[inline]
    fn store(&self, value: u64, order: Ordering) {
        AtomicU64::store(self, value, order);
    }
    #[inline]
    fn swap(&self, value: u64, order: Ordering) -> u64 {
        AtomicU64::swap(self, value, order)
    }
    #[inline]
    fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        AtomicU64::compare_exchange(self, current, new, success, failure)
    }
    #[inline]
    fn compare_exchange_weak(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        AtomicU64::compare_exchange_weak(self, current, new, success, failure)
    }
    #[inline]
    fn fetch_add(&self, value: u64, order: Ordering) -> u64 {
        AtomicU64::fetch_add(self, value, order)
    }
    #[inline]
    fn fetch_sub(&self, value: u64, order: Ordering) -> u64 {
        AtomicU64::fetch_sub(self, value, order)
    }
    #[inline]
    fn fetch_and(&self, value: u64, order: Ordering) -> u64 {
        AtomicU64::fetch_and(self, value, order)
    }
    #[inline]
    fn fetch_or(&self, value: u64, order: Ordering) -> u64 {
        AtomicU64::fetch_or(self, value, order)
    }
}
