//! Which process runs in which space: threads, fork, vfork, exec and exit.
//!
//! Invariant: a space is alive exactly while a process uses it. A process has none until its first
//! fault, mapping or exec, unless it was forked by one that has.

use std::collections::{BTreeMap, BTreeSet};

use super::machine::Machine;
use super::read::{Event, What};
use super::script::Space;

/// One process.
#[derive(Debug, Default)]
struct Process {
    /// Its threads that are known.
    threads: BTreeSet<u32>,
    /// The space it runs in.
    space: Option<Space>,
}

/// All processes.
#[derive(Debug, Default)]
pub(super) struct Processes {
    by_pid: BTreeMap<u32, Process>,
}

impl Processes {
    /// The space that a task runs in, loaded; made if the trace did not tell how it came to be.
    pub(super) fn run(&mut self, machine: &mut Machine, event: &Event) -> Space {
        let process = self.by_pid.entry(event.pid).or_default();
        process.threads.insert(event.tid);
        let space = *process.space.get_or_insert_with(|| machine.create());
        machine.switch(space);
        space
    }

    /// A process runs another program: it leaves its space for an empty one.
    ///
    /// The other threads are gone, and the one that calls exec is now the first.
    pub(super) fn exec(&mut self, machine: &mut Machine, event: &Event) {
        self.leave(machine, event.pid);
        self.by_pid.entry(event.pid).or_default().threads = BTreeSet::from([event.tid]);
        self.run(machine, event);
    }

    /// A task makes another: a thread of its own process; or a process, with a copy of its space
    /// or, if `vfork`, in the same one.
    pub(super) fn fork(
        &mut self,
        machine: &mut Machine,
        event: &Event,
        new: (u32, u32),
        vfork: bool,
    ) {
        let (pid, tid) = new;
        if pid == event.pid {
            self.by_pid.entry(pid).or_default().threads.insert(tid);
            return;
        }
        // Only a record that was lost leaves a process of that number.
        self.leave(machine, pid);
        let parent = self.by_pid.get(&event.pid).and_then(|p| p.space);
        let space = parent.map(|parent| {
            machine.switch(parent);
            if vfork {
                machine.stats.vforks += 1;
                parent
            } else {
                machine.fork(parent)
            }
        });
        let threads = BTreeSet::from([tid]);
        self.by_pid.insert(pid, Process { threads, space });
    }

    /// A task ends; with the last of a process, the process.
    pub(super) fn exit(&mut self, machine: &mut Machine, event: &Event) {
        let Some(process) = self.by_pid.get_mut(&event.pid) else {
            return;
        };
        process.threads.remove(&event.tid);
        let last = process.threads.is_empty();
        if let Some(space) = process.space {
            machine.switch(space);
        }
        if last {
            self.leave(machine, event.pid);
            self.by_pid.remove(&event.pid);
        }
    }

    /// Takes a process out of its space, which dies with its last user.
    fn leave(&mut self, machine: &mut Machine, pid: u32) {
        let process = self.by_pid.get_mut(&pid);
        let Some(space) = process.and_then(|process| process.space.take()) else {
            return;
        };
        if self.by_pid.values().all(|other| other.space != Some(space)) {
            machine.destroy(space);
        }
    }
}

/// For each event, whether it is a fork whose child faults nothing before its exec.
///
/// Such a child runs in its parent's space: `vfork` and `posix_spawn` look like this, while a copy
/// could not run an instruction without a fault.
pub(super) fn vforks(events: &[Event]) -> std::vec::Vec<bool> {
    let mut vforks = std::vec![false; events.len()];
    // Children that have done nothing yet, and the fork that made each.
    let mut idle = BTreeMap::new();
    for (at, event) in events.iter().enumerate() {
        match event.what {
            What::Fork { pid, .. } if pid != event.pid => {
                idle.insert(pid, at);
            }
            What::Exec => {
                if let Some(fork) = idle.remove(&event.pid) {
                    vforks[fork] = true;
                }
            }
            What::Fault { .. } | What::Exit => {
                idle.remove(&event.pid);
            }
            What::Fork { .. } | What::Map(_) => {}
        }
    }
    vforks
}
