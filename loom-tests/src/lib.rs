//! The schemes under loom: every model for every scheme, and twins that must fail.
//!
//! loom runs a small concurrent program in every order, with every value that the memory model lets
//! a load return. [`model`] says what a scheme must do in it, [`backend`] is what the scheme runs on,
//! and [`twin`] takes one thing away at a time: each model must then fail, for its own reason, or it
//! has proved nothing. [`litmus`] pins down what the backend and loom themselves do.
//!
//! The registry of schemes decides what is modelled: a new scheme needs nothing here. Results are in
//! `results/models.csv`; `cargo test -p loom-tests` explores everything again and compares.
//!
//! | to | run |
//! |---|---|
//! | rewrite the results | `cargo run -p loom-tests --release --bin models` |
//! | see some of them, and how long they take | `cargo run -p loom-tests --release --bin models percpu/` |

pub mod backend;
mod bound;
pub mod case;
pub mod cases;
pub mod explore;
mod fence;
pub mod litmus;
pub mod model;
pub mod mutation;
pub mod native;
pub mod stage;
pub mod table;
pub mod twin;
pub mod verdict;
pub mod word;
