//! On the real machine: stress, and litmus tests that run.
//!
//! [`stress`] lets reader threads hold, and a suspender change words, under any scheme: a hold that
//! sees a word change, or two that differ, is *torn*. [`broken`] is the same machine with a fence
//! taken away, under which the same stress must tear. [`litmus`] asks the machine itself whether it
//! reorders, and whether the fences stop that. [`plain`] is the same stress for `ThreadSanitizer`, and
//! [`relaxed`] what that must report. [`registry`] has them all, scheme by scheme:
//!
//! ```
//! use ptom::backend::Native;
//! use ptom::conformance::native::{payload::Words, plan::Plan, registry, stress::Quota};
//! use ptom::scheme::percpu_asym::PerCpuAsym;
//!
//! let case = registry::case::<Native, PerCpuAsym<Native>, Words>(); // or your own
//! let outcome = (case.run)(Plan::holds(10_000), &Words::default(), &Quota::default());
//! assert_eq!(outcome.torn + outcome.stale, 0);
//! ```
//!
//! # What this cannot show
//!
//! * That a scheme is right. Only what happened is judged; the models explore what may happen.
//! * Anything that x86 never does, when run on x86: a missing Acquire or Release is invisible, and
//!   so is any fence but the full one.
//! * That stress overlapped by itself: so it is counted, and a run in which no suspend and no hold
//!   had to wait is no pass (see [`outcome`]).

pub mod broken;
pub(super) mod checks;
mod cold;
mod duet;
pub mod litmus;
mod marks;
mod oracle;
pub mod outcome;
pub mod payload;
pub mod plain;
pub mod plan;
mod programs;
mod reader;
pub mod registry;
pub mod relaxed;
pub mod stress;
mod suspender;
