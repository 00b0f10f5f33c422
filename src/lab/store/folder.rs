//! The results folder: names that are free, and what an interrupted run left.

use super::{HIDDEN, LOCK};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// The first name that no run has: two runs may begin within a second.
pub(super) fn free(results: &Path, name: &str) -> PathBuf {
    let mut path = results.join(name);
    let mut number = 2u32;
    while path.exists() {
        path = results.join(format!("{name}-{number}"));
        number = number.saturating_add(1);
    }
    path
}

/// Removes hidden folders whose run is over without having finished.
pub(super) fn clear_abandoned(results: &Path) {
    let Ok(entries) = fs::read_dir(results) else {
        return;
    };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(HIDDEN) {
            continue;
        }
        let Ok(lock) = File::open(entry.path().join(LOCK)) else {
            continue;
        };
        if lock.try_lock().is_ok() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
