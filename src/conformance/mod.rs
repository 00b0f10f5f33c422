//! The kit: everything that checks a scheme of this crate, for a scheme of yours.
//!
//! | part | what runs | what it can show |
//! |---|---|---|
//! | [`exhaustive`] | every order and every value of small programs, under loom | a missing ordering, a lost wake-up, a deadlock; up to four threads, within a bound |
//! | [`audit`] | the same with one ordering weakened at a time | an ordering that nobody needs, or that no model looks at |
//! | [`random`] | the whole suspend protocol on 8 vCPUs, in random schedules, under shuttle | a mistake of the protocol; never one of ordering |
//! | [`random::progress`] | fair and directed schedules, counted in steps | who waits for whom, and how long |
//! | [`counting`] | one snapshot, and what it writes | a write that was promised not to be |
//! | [`native`] | real threads on this machine, whole and with a fence taken away | what x86 reorders; a rate, not a proof |
//!
//! A [`Kit`] is made of a [`Registry`](crate::scheme::Registry) and is a whole test program; every check is
//! one test, so that `cargo test` and cargo-nextest both run it. It costs seconds to minutes, by the
//! scheme: a lock with queues has far more executions than a counter.
//!
//! In a test without a harness (`harness = false`), for a scheme that is not of this crate:
//!
//! ```no_run
//! use ptom::backend::Backend;
//! use ptom::conformance::Kit;
//! use ptom::scheme::{Registry, Visit, percpu::PerCpu};
//!
//! struct Mine;
//!
//! impl Registry for Mine {
//!     fn each<B: Backend>(visitor: &mut impl Visit<B>) {
//!         visitor.visit::<PerCpu<B>>(); // here: your scheme
//!     }
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     Kit::of::<Mine>().main()
//! }
//! ```
//!
//! What all of it together proves, and what not, is in `docs/proof.md`.

pub mod audit;
pub mod case;
pub mod child;
mod command;
pub mod counting;
pub mod exhaustive;
mod harness;
mod kit;
pub mod native;
mod queue;
pub mod random;
mod record;
mod recorded;
pub mod sampled;
pub mod subject;
pub mod table;
pub mod verdict;

pub use kit::Kit;
