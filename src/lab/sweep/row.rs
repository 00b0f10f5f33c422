//! One line of `sweep.csv`.

use super::{Dirty, Manner};
use crate::pmap::{Act, Work};
use serde::Serialize;

/// The file of the results folder.
pub const FILE: &str = "sweep.csv";

/// One sweep.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Live pmaps.
    pub pmaps: u64,
    /// `whole`: each has a table of every level; `roots`: its root only.
    pub tables: &'static str,
    /// vCPUs of the guest.
    pub vcpus: usize,
    /// How slots were to be set.
    pub asked: String,
    /// How many visits that was, each from a pmap of its own.
    pub dirty: u64,
    /// The way.
    pub way: &'static str,
    /// Entries and list places read.
    pub reads: u64,
    /// Hypercalls.
    pub hypercalls: u64,
    /// Entries of `mmu_update`.
    pub updates: u64,
    /// Flushes of the suspender's TLB.
    pub flushes: u64,
    /// Page faults in the kernel.
    pub faults: u64,
    /// What the sweep costs by the charges, in nanoseconds.
    pub charged_ns: f64,
    /// What each visit cost while the guest ran, by the charges, in nanoseconds; of those that set slots.
    pub visit_ns: Option<f64>,
    /// How long the simulator took for the sweep, in nanoseconds: measured, and no more than that.
    pub wall_ns: Option<u64>,
    /// Why there is nothing.
    pub err: Option<String>,
}

impl Row {
    /// A row without figures.
    pub(super) fn blank(pmaps: u64, whole: bool, vcpus: usize) -> Self {
        Self {
            pmaps,
            tables: if whole { "whole" } else { "roots" },
            vcpus,
            asked: String::new(),
            dirty: 0,
            way: "",
            reads: 0,
            hypercalls: 0,
            updates: 0,
            flushes: 0,
            faults: 0,
            charged_ns: 0.0,
            visit_ns: None,
            wall_ns: None,
            err: None,
        }
    }

    /// The same of one sweep that is yet to come.
    pub(super) fn of(self, manner: Manner, asked: Dirty) -> Self {
        Self {
            way: manner.name(),
            dirty: asked.of(self.pmaps),
            asked: asked.to_string(),
            ..self
        }
    }

    /// The same with the work that was done.
    pub(super) fn with(self, work: &Work, charged_ns: f64) -> Self {
        Self {
            reads: work.of(Act::Read),
            hypercalls: work.of(Act::Hypercall),
            updates: work.of(Act::Update),
            flushes: work.of(Act::Flush),
            faults: work.of(Act::Fault),
            charged_ns,
            ..self
        }
    }
}

/// The file's text.
///
/// # Errors
/// None that a row gives rise to.
pub fn to_csv(rows: &[Row]) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row)?;
    }
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
