//! The `stress` program: stress and litmus tests on the machine, as rows.

pub mod arguments;
mod host;
pub mod litmus;
mod progress;
pub mod results;
pub mod run;
mod table;
