//! Questions to the machine that this runs on, for whoever measures or stresses on it.
//!
//! Invariant: what cannot be found out is said to be so, never guessed; no path of the machine and no name
//! of it leaves this module.

pub mod cpus;
pub mod origin;
pub mod pinning;
pub mod stolen;
