//! Ctrl-C, as a flag that is looked at between batches.

use super::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Set once the user wants us to stop.
#[derive(Clone, Debug)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Catches Ctrl-C from now on. The second one ends the process at once, in case that a batch
    /// never ends.
    pub(super) fn on_ctrl_c() -> Result<Self, Error> {
        let flag = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&flag);
        ctrlc::set_handler(move || {
            if seen.swap(true, Relaxed) {
                std::process::exit(130);
            }
        })
        .map_err(|e| Error::Failed(format!("cannot catch Ctrl-C: {e}")))?;
        Ok(Self(flag))
    }

    /// The flag itself.
    pub(super) fn flag(&self) -> &AtomicBool {
        &self.0
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.load(Relaxed)
    }
}
