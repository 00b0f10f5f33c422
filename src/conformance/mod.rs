//! The kit: everything that checks a scheme of this crate, for a scheme of yours.

pub mod native;
pub mod random;
