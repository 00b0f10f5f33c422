//! Workloads, traces, measuring, results and the report: everything around the core (feature `lab`).

pub mod agreement;
pub mod cli;
pub mod footprint;
pub mod instructions;
mod lost;
pub mod measure;
mod memory;
pub mod peers;
pub mod provenance;
pub mod replay;
pub mod report;
pub mod sample;
pub mod store;
pub mod summary;
pub mod sweep;
pub mod table;
pub mod trace;
