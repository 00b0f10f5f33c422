//! The kit: everything that checks a scheme of this crate, for a scheme of yours.

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
