//! Replaying a trace against the simulated pmap while the domain is suspended every so often.
//!
//! Every vCPU runs a **clone** of the trace, pass after pass, in pmaps and pages of its own: one
//! trace has too few process switches to be split. One more vCPU suspends the domain, in all
//! [modes](crate::xen::Mode) in turn. The oracle counts stale MFNs at every hypercall.
//!
//! Or the guest is **migrated** while it runs, to and fro between two hosts, and compared with one that
//! was not ([`run_migrating`]).
//!
//! With **injection** on, a vCPU now and then stops between translating and using, asks for a
//! suspend, and goes on only when one has come and gone, or when it is clear that none comes while it
//! holds. It is a rendezvous, not a sleep, so which operations are hit follows from the seed alone;
//! an unprotected guest is caught every time, and a sound scheme never.

mod clones;
mod end;
mod lens;
mod migrate;
mod moved;
mod plan;
mod player;
mod rendezvous;
mod replayed;
mod run;
mod suspends;
mod tools;

pub use end::{Differences, End};
pub use migrate::{run as run_migrating, undisturbed};
pub use moved::{Migration, Moved, RoundRow};
pub use plan::{Plan, ReplayError, machine_for, memory_for};
pub use player::Player;
pub use replayed::Replayed;
pub use run::run;
