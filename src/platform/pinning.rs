//! Each thread on a CPU of its own, where there are enough and we are allowed to.
//!
//! A thread that moves leaves its cache behind, and two threads on one CPU measure the scheduler. So
//! threads are pinned; where that fails they run all the same, and the run says so.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The CPUs that this thread may run on, in order; empty if the kernel does not say.
pub fn allowed() -> Vec<usize> {
    sched_getaffinity(None).map_or_else(
        |_| Vec::new(),
        |set| {
            (0..CpuSet::MAX_CPU)
                .filter(|&cpu| set.is_set(cpu))
                .collect()
        },
    )
}

/// The calling thread, on one CPU until this is dropped.
#[derive(Debug)]
pub struct Pinned {
    before: Option<CpuSet>,
}

impl Pinned {
    /// Pins the calling thread to the `index`th of `cpus`, or, if there are fewer, shares them.
    /// Says whether that was possible by [`is_pinned`](Self::is_pinned).
    pub fn new(index: usize, cpus: &[usize]) -> Self {
        let pin = || {
            let cpu = *cpus.get(index % cpus.len().max(1))?;
            let before = sched_getaffinity(None).ok()?;
            let mut only = CpuSet::new();
            only.set(cpu);
            sched_setaffinity(None, &only).ok()?;
            Some(before)
        };
        Self { before: pin() }
    }

    /// Whether the thread is pinned.
    pub fn is_pinned(&self) -> bool {
        self.before.is_some()
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // If the old set is refused now there is nothing better to go back to.
            let _ = sched_setaffinity(None, before);
        }
    }
}

/// What a reader of the figures should know about `threads` threads on these CPUs, if anything.
pub fn caveat(threads: usize, cpus: &[usize]) -> Option<String> {
    if cpus.is_empty() {
        return Some("threads are not pinned: the kernel does not say which CPUs are ours".into());
    }
    (threads > cpus.len()).then(|| {
        format!(
            "{threads} threads share {} CPUs: these rows tell about the scheduler, too",
            cpus.len()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pinning_ends_with_its_guard() {
        let before = allowed();
        let pinned = Pinned::new(1, &before);
        if pinned.is_pinned() {
            assert_eq!(allowed(), [before[1 % before.len()]]);
        }
        drop(pinned);
        assert_eq!(allowed(), before);
    }

    #[test]
    fn too_few_cpus_are_mentioned() {
        assert!(caveat(2, &[0, 1]).is_none());
        assert!(caveat(3, &[0, 1]).is_some());
        assert!(caveat(1, &[]).is_some());
    }
}
