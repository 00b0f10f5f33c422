//! Workloads, traces, measuring, results and the report: everything around the core (feature `lab`).

pub mod replay;
pub mod sample;
pub mod trace;
