//! Workloads, traces, measuring, results and the report: everything around the core (feature `lab`).

pub mod cli;
pub mod measure;
pub mod replay;
pub mod sample;
pub mod trace;
