//! The kit: everything that checks a scheme of this crate, for a scheme of yours.

pub mod audit;
pub mod case;
pub mod child;
pub mod counting;
pub mod exhaustive;
mod harness;
mod kit;
pub mod native;
pub mod random;
mod record;
pub mod subject;
pub mod table;
pub mod verdict;

pub use kit::Kit;
