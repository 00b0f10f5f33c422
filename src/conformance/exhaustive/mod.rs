//! Every order, every value: a scheme under loom.
//!
//! loom runs a small concurrent program in every order, with every value that the memory model lets
//! a load return. [`model`] says what a scheme must do in it, [`Loom`] is what the scheme runs on,
//! [`mutation`] is what may be wrong with that machine, and [`site`] takes one ordering away.
//! [`explore`] runs one case, in a process of its own.

pub mod bound;
pub mod explore;
mod fence;
mod machine;
pub mod model;
pub mod mutation;
pub mod site;
pub mod stage;
mod word;

pub use machine::Loom;
pub use word::{Word32, Word64};
