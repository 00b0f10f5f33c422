//! Threads on CPUs of their own: a missing fence shows only between two of them.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The CPUs that this thread may run on, in order; empty if the kernel does not say.
pub(super) fn allowed() -> Vec<usize> {
    sched_getaffinity(None).map_or_else(
        |_| Vec::new(),
        |set| {
            let cpus = 0..CpuSet::MAX_CPU;
            cpus.filter(|&cpu| set.is_set(cpu)).collect()
        },
    )
}

/// Keeps the calling thread, which ends soon, on one CPU; says whether the kernel agreed.
pub(super) fn pin(cpu: usize) -> bool {
    let mut only = CpuSet::new();
    only.set(cpu);
    sched_setaffinity(None, &only).is_ok()
}
