//! Random schedules of worlds too large to explore.
//!
//! The real suspend protocol, with pmap and hypervisor, on eight vCPUs, under any scheme, in as many
//! schedules as there is time for: [`check`]. The machine's oracle counts stale uses; a sound scheme
//! has none in any schedule, a control must be caught. What is found can be run again: [`replay`].
//!
//! [`progress`] counts who waits for whom, and how long.
//!
//! [`backend`] says what such schedules cannot find: a mistake of memory ordering.

pub mod backend;
mod check;
pub(super) mod checks;
mod encode;
mod fine;
mod grain;
mod job;
pub mod progress;
mod recorder;
mod replayer;
mod run;
mod suspender;
pub mod table;
mod vcpu;
pub mod word;
mod world;

pub use backend::{Asymmetric, Fences, Random, Symmetric};
pub use check::{CAUGHT_WITHIN, Checked, NoSchedule, Picks, Plan, check, replay};
pub use job::{Job, Jobs};
pub use world::World;

#[cfg(test)]
mod planted;
#[cfg(test)]
mod tests;
