//! The recorded programs that the replaying workloads replay, one each.

use crate::lab::sample::Workload;
use crate::lab::trace::{Script, Source, TraceError, load};
use std::sync::Arc;

/// The traces that are part of the program, rebuilt.
#[derive(Clone, Debug)]
pub struct Scripts([Arc<Script>; 3]);

impl Scripts {
    /// Reads and rebuilds them: well under a second.
    ///
    /// # Errors
    /// [`TraceError`], which no trace of ours gives.
    pub fn load() -> Result<Self, TraceError> {
        let [shell, gcc_make, cargo_build] = Source::all_embedded().map(|one| load(&one));
        Ok(Self([
            Arc::new(shell?),
            Arc::new(gcc_make?),
            Arc::new(cargo_build?),
        ]))
    }

    /// The one that a workload replays; the first for who replays none.
    pub(super) fn of(&self, workload: Workload) -> &Arc<Script> {
        let [shell, gcc_make, cargo_build] = &self.0;
        match workload {
            Workload::ReplayGccMake => gcc_make,
            Workload::ReplayCargoBuild => cargo_build,
            _ => shell,
        }
    }
}
