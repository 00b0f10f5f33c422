//! Which lock should keep machine frame numbers (MFNs) true while a Xen guest is suspended?
//!
//! A paravirtualised guest translates its own frame numbers (PFN) to the machine's (MFN) all the
//! time; a suspend, a few times a year, replaces every MFN. This crate holds every known way of
//! protecting the one against the other behind one API ([`scheme`]), a simulated hypervisor
//! ([`xen`]) and pmap ([`pmap`]) that use it, and the suspend protocol ([`suspend`]).
//!
//! # Which lock to take
//!
//! For data that all threads read and one replaces now and then, there are two ways in:
//!
//! | | [`RwLock<T>`](RwLock) (feature `lock_api`) | a [`Scheme`](scheme::Scheme) (feature `std`, or a backend of yours) |
//! |---|---|---|
//! | you | lock it, as any lock | register a [`Reader`](scheme::Reader) a thread, and hand it around |
//! | it guards | a value | whatever you say |
//! | a read costs | the scheme's hold, and two thread-local look-ups | the hold: for [`percpu_asym`](scheme::percpu_asym) two plain stores and a load |
//! | a write costs | the scheme's suspend, once for each table | the suspend: for `percpu_asym` a `membarrier(2)` |
//! | memory | a handle a thread and lock, and tables that grow | slots for as many readers as you say |
//!
//! Take the first unless the look-ups count. The feature `std` is for Linux only (futex and `membarrier`);
//! without it everything up to [`suspend`] builds anywhere. `default-features = false` leaves out `lab`, which
//! brings some twenty crates along.
//!
//! # Layers
//!
//! In dependency order; a module may name only those above it:
//!
//! * [`platform`]: questions to the machine that this runs on (features `conformance` and `lab`).
//! * [`backend`]: the one seam: what a scheme may ask of the machine (atomics, fences, waiting).
//! * [`primitive`]: padded words, registration, a gate, locks and turnstiles, built on a backend.
//! * [`scheme`]: one file a scheme, and the registry.
//! * [`xen`]: the simulated hypervisor: frames, M2P, P2M, hypercalls, save and restore.
//! * [`pmap`]: the NetBSD-like pmap on top of it.
//! * [`suspend`]: the protocol: `pre_suspend`, `Suspended`, `post_suspend`.
//! * [`lock`]: a lock that people can use, made of any sound scheme (feature `lock_api`).
//! * [`native`]: libraries' locks, those of [`lock`], and what is written in assembly, as contenders (feature `lab`).
//! * [`conformance`]: the kit that checks a scheme, one of ours or yours (feature `conformance`).
//! * [`lab`]: workloads, traces, measuring, results, report (feature `lab`).
//!
//! Everything up to [`suspend`] is `no_std` + `alloc`, has no dependency and no unsafe code.
//!
//! # Example
//!
//! A reader holds, translates and uses; nobody can suspend in between:
//!
//! ```
//! # #[cfg(feature = "std")] {
//! use ptom::backend::Native;
//! use ptom::scheme::{Reader, Scheme, Size, Translate, percpu_asym::PerCpuAsym};
//!
//! let lock = <PerCpuAsym<Native> as Scheme<Native>>::new(Size::readers(2));
//! let mut reader = lock.reader()?;
//! {
//!     let _hold = reader.hold(); // no suspend completes while this lives
//! }
//! let suspended = reader.suspend(); // no hold is live, none can begin
//! drop(suspended); // resumes
//! # }
//! # Ok::<(), ptom::scheme::Full>(())
//! ```
#![cfg_attr(not(any(feature = "lab", feature = "conformance")), no_std)]
#![deny(unsafe_code)]

#[cfg(all(feature = "std", not(target_os = "linux")))]
compile_error!(
    "ptom's feature `std` needs Linux (futex and membarrier): elsewhere set `default-features = false`, and bring a `Backend` of your own"
);

extern crate alloc;
#[cfg(all(feature = "std", not(any(feature = "lab", feature = "conformance"))))]
extern crate std;

pub mod backend;
#[cfg(feature = "lock_api")]
pub mod lock;
pub mod pmap;
pub mod primitive;
pub mod scheme;
pub mod suspend;
pub mod xen;

#[cfg(feature = "lock_api")]
pub use lock::{RawPerCpu, RawPerCpuAsym, RwLock, RwLockReadGuard, RwLockWriteGuard};

#[cfg(feature = "lock_api")]
pub use ::lock_api;

#[cfg(any(feature = "lab", feature = "conformance"))]
pub mod platform;

#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "lab")]
pub mod lab;
#[cfg(feature = "lab")]
pub mod native;
