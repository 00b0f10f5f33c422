//! Workloads, traces, measuring, results and the report: everything around the core (feature `lab`).

pub mod cli;
pub mod measure;
pub mod sample;
