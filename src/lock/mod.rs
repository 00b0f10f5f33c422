//! A lock that people can use: any sound scheme as a [`lock_api::RawRwLock`], and [`RwLock<T>`].
//!
//! # Trade-offs
//!
//! What it costs, first:
//!
//! * **A lock** is a word until it is used; the first read allocates a table of 16 padded
//!   words and more. It is for a few locks a process, read all the time; not for one an object.
//! * **A thread** that reads allocates a handle for each lock that it has ever read, and a slot of the
//!   lock's table, until it ends. A lock that is dropped leaves its table behind until those threads
//!   end, or read another lock for the first time. The bytes of all that, by threads, are the rows
//!   `percpu_asym_tls` and `percpu_tls` of `results/footprint.csv`.
//! * **A first read** by a thread of a lock allocates, looks through the tables for a free slot, and takes
//!   a lock of the standard library for reading, so that it waits while somebody writes. If no slot is
//!   free it takes that lock for writing, and adds a table. What the look-up for a slot
//!   takes beside so many others are the rows `percpu_asym` and `percpu` of `results/registration.csv`.
//! * **A write** is what the scheme says: for [`RawPerCpuAsym`] a `membarrier(2)`; how long that takes is
//!   the row `heavy_fence` of the report's tables of suspends. It is once more for each further table (each has
//!   twice the room of the one before), one after the other.
//! * **Where the kernel refuses `membarrier`** when it is first asked, every outermost read takes the scheme's cold
//!   path, and executes a full fence there; a write then makes no system call for it.
//! * **A write waits** for who reads the first table when it comes, and then for who reads the next table
//!   when that one's turn comes: until then its readers come and go. So with one table it waits for no reader
//!   that came after it, and with more for at most one read a thread.
//!   It polls, spinning first, then yielding, then napping for 50 us at a time; and meanwhile it keeps
//!   other writers out, and threads whose first read of this lock it would be: they sleep.
//! * **`try_write`** costs as much. It fails when somebody reads or writes, and when at that instant a
//!   `try_read` or a thread's first read is under way.
//! * **`try_read`** takes that lock, too, unless it is within a read. It fails when somebody writes or
//!   waits to, and when at that instant a table is added.
//! * **`is_locked`** is a `try_write` that is taken back at once: it costs as much, and keeps readers out for
//!   that long. `is_locked_exclusive` is one load.
//! * A guard stays with its thread (it is not `Send`): what a thread counts, only it can take back.
//! * A read whose guard was leaked never ends: its thread's handle and the lock's tables stay after that
//!   thread's end, until the lock goes or for ever.
//!
//! What it gives: a read is a thread-local look-up and the scheme's hold (for `RawPerCpuAsym` two plain stores
//! and a look at the gate, no atomic read-modify-write: `tests/machine_code.rs` looks the scheme's part up),
//! readers share no cache line, and a read within a read only counts, and never deadlocks. What that comes to is in the rows
//! `percpu_asym_tls` and `percpu_tls` of the report's tables of holds.
//!
//! With a [`Reader`](crate::scheme::Reader) of one's own, the look-up goes too: see [`scheme`](crate::scheme).
//! Where locks are many and writes are common, take `parking_lot` or the standard library's.
//!
//! # Deadlocks
//!
//! What a thread that has a guard may ask the same lock for:
//!
//! | it has | it calls | which |
//! |---|---|---|
//! | a read | `read` | succeeds, whoever waits to write |
//! | a read | `try_read` | succeeds |
//! | a read | `write` | **never returns**: it waits for the read, polls all the time, and keeps out other writers, and readers |
//! | a read | `try_write` | fails |
//! | a write | `read` | **never returns**, or panics |
//! | a write | `try_read` | fails |
//! | a write | `write` | **never returns**, or panics |
//! | a write | `try_write` | fails |
//!
//! So a read does not become a write, nor a write a read, without letting go: there is neither a downgrade nor
//! an upgradable read. Two locks that two threads write in opposite orders deadlock, as with any lock.
//!
//! # Panics
//!
//! `write` and `try_write` panic if the kernel granted `membarrier(2)` and a filter takes it away later
//! ([`Native`]); nothing is locked then. A panic while a guard is held unlocks, and poisons nothing.
//!
//! # Where the counts live
//!
//! A [`RawRwLock`](lock_api::RawRwLock) is made by a `const`, moves, and tells a reader nothing but `&self`; yet every pair of a
//! thread and a lock needs a word of its own. There are two ways:
//!
//! * one table a process, by thread, shared by all locks (BRAVO, folly): locks stay small, but a word
//!   says *which* lock its thread reads, so it must be claimed anew for every read, by an atomic
//!   read-modify-write, or searched, and the protocol is a new one to prove;
//! * one table a lock, made when it is first read, and a handle a thread, found by the lock (this one):
//!   the read stays as cheap as the scheme's, and **nothing is new**: a handle is a registered
//!   [`Reader`](crate::scheme::Reader) with a nesting counter, a write is a suspend, and the models have seen both.
//!
//! What is left to argue is here, and it is sequential: a handle belongs to one thread; a thread that
//! holds does not register; tables are added only by who could write.
//!
//! | module | idea |
//! |---|---|
//! | `excludes` | which schemes may guard data |
//! | `shards` | the lock's tables: registering, growing, writing |
//! | `handle` | one thread's reader of one lock, and its nesting counter |
//! | `threads` | how a thread finds its handle, and what becomes of it when the thread ends |
//! | `raw` | [`Raw`], the `lock_api` side |
//!
//! # Forks
//!
//! As every lock in memory: in the child of a `fork`, reads of threads that are not there never end.
//!
//! # Examples
//!
//! ```
//! use ptom::RwLock;
//!
//! static CONFIG: RwLock<Vec<u32>> = RwLock::new(Vec::new());
//!
//! CONFIG.write().push(7);
//! let outer = CONFIG.read();
//! let inner = CONFIG.read(); // never deadlocks, whoever waits to write
//! assert_eq!((outer.len(), inner[0]), (1, 7));
//! assert!(CONFIG.try_write().is_none());
//! ```
//!
//! The portable scheme, whose writes need no system call and whose reads execute one full fence:
//!
//! ```
//! use ptom::lock_api;
//!
//! let lock: lock_api::RwLock<ptom::RawPerCpu, u32> = lock_api::RwLock::new(1);
//! *lock.write() += 1;
//! assert_eq!(*lock.read(), 2);
//! ```
//!
//! A guard does not leave its thread:
//!
//! ```compile_fail
//! let lock = ptom::RwLock::new(1);
//! let guard = lock.read();
//! std::thread::scope(|s| { s.spawn(move || drop(guard)); });
//! ```

mod excludes;
mod handle;
mod raw;
mod shards;
mod threads;

pub use excludes::Excludes;
pub use raw::Raw;
#[doc(hidden)]
pub use shards::FIRST;

use crate::backend::Native;
use crate::scheme::{percpu::PerCpu, percpu_asym::PerCpuAsym};

/// [`percpu_asym`](crate::scheme::percpu_asym) as a raw lock: the cheapest read, a `membarrier(2)` a write.
pub type RawPerCpuAsym = Raw<PerCpuAsym<Native>>;
/// [`percpu`](crate::scheme::percpu) as a raw lock: one full fence a read, no system call a write.
pub type RawPerCpu = Raw<PerCpu<Native>>;

/// A reader-writer lock for data that is read all the time and hardly ever written.
///
/// What it costs, in short; all of it is in the [module](self):
///
/// * a read: a thread-local look-up, two plain stores and a load, and the look-up again at its end; a thread's
///   first read allocates, and waits while somebody writes;
/// * a write: a `membarrier(2)`, and the wait for who reads, by polling;
/// * memory: a handle and a slot for each thread that has read it, until that thread ends.
///
/// What a thread that has a guard may ask for again:
///
/// | it has | `read` | `try_read` | `write` | `try_write` |
/// |---|---|---|---|---|
/// | a read | succeeds | succeeds | **never returns** | fails |
/// | a write | **never returns** | fails | **never returns** | fails |
///
/// # Panics
/// `write` does if the kernel takes `membarrier` away after it was granted.
///
/// # Examples
///
/// ```
/// use ptom::RwLock;
///
/// static LIMITS: RwLock<(u32, u32)> = RwLock::new((0, 10));
///
/// *LIMITS.write() = (5, 20);
/// let limits = LIMITS.read();
/// assert_eq!(*limits, (5, 20));
/// assert!(LIMITS.try_write().is_none()); // `write` would wait for `limits`, for ever
/// ```
pub type RwLock<T> = lock_api::RwLock<RawPerCpuAsym, T>;
/// A read of an [`RwLock`]; stays with its thread.
pub type RwLockReadGuard<'a, T> = lock_api::RwLockReadGuard<'a, RawPerCpuAsym, T>;
/// A write of an [`RwLock`]; stays with its thread.
pub type RwLockWriteGuard<'a, T> = lock_api::RwLockWriteGuard<'a, RawPerCpuAsym, T>;
