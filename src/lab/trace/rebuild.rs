//! The rules that turn what a trace says into what a kernel did.
//!
//! perf records faults, mappings made, and tasks made and ended. It does not record `munmap`,
//! `madvise`, copies on write, nor whether a fault reads or writes. So there are rules, and where a
//! rule decides what the trace cannot support, it is counted in [`Stats::guesses`](super::Stats):
//!
//! 1. A fork with the same process number is a thread. A space dies with the last thread of its
//!    last process, or at exec.
//! 2. A child that faults nothing before its exec shares its parent's space (vfork). Any other
//!    fork copies the mappings: frames are shared, and both sides are write-protected.
//! 3. A mapping over resident pages with the same backing is growth or a change of protection: the
//!    pages stay and take the protection. Over another backing the pages are removed.
//! 4. A fault on a resident page whose anonymous frame is still shared copies it. If the page is
//!    read-only and its region writable, a file's page is copied too, and a frame of the process's
//!    own is made writable. Another thread's fault within [`RACE_NS`] maps the same frame again, and
//!    so does the first fault on a file's page after a fork, which need not copy such mappings.
//!    All else is a guess: the page had been unmapped, and is mapped anew.
//! 5. A fault in no known region is on writable anonymous memory, which is a guess.
//! 6. A file's page has one frame, whoever maps it. Only a private writable mapping takes a frame of
//!    its own, on the first fault: taken for a write, which is a guess.
//!
//! Invariant: each event is dealt with by one rule, and ops come from [`Machine`] only.

use super::machine::{Machine, Resident};
use super::process::{Processes, vforks};
use super::read::{Event, What};
use super::region::{Backing, Region};
use super::script::{Script, Space, Stats};

/// Two threads that fault on one page within this time have raced for it.
const RACE_NS: u64 = 100_000;

/// Rebuilds the processes of a trace. Costs time in proportion to its records and forks' copies.
pub(super) fn rebuild(events: &[Event], stats: Stats) -> Script {
    let mut machine = Machine::new(stats);
    let mut processes = Processes::default();
    for (event, vfork) in events.iter().zip(vforks(events)) {
        match event.what {
            What::Exec => processes.exec(&mut machine, event),
            What::Fork { pid, tid } => processes.fork(&mut machine, event, (pid, tid), vfork),
            What::Exit => processes.exit(&mut machine, event),
            What::Map(region) => {
                let space = processes.run(&mut machine, event);
                map(&mut machine, space, region);
            }
            What::Fault { page } => {
                let space = processes.run(&mut machine, event);
                let by = (event.tid, event.time_ns);
                Fault::new(&mut machine, space, page, by).resolve();
            }
        }
    }
    machine.finish()
}

/// Rule 3: a mapping is made or changed.
fn map(machine: &mut Machine, space: Space, new: Region) {
    let range = new.start..new.end;
    let mut gone: Option<std::ops::Range<u64>> = None;
    let parts = machine.contents(space).regions.parts(range.clone());
    for (part, _) in parts.into_iter().filter(|(_, old)| *old != new.backing) {
        // Neighbours go together, as one call would have it.
        match &mut gone {
            Some(before) if before.end == part.start => before.end = part.end,
            _ => {
                if let Some(before) = gone.replace(part) {
                    machine.stats.pages_replaced += machine.remove(space, before);
                }
            }
        }
    }
    if let Some(before) = gone {
        machine.stats.pages_replaced += machine.remove(space, before);
    }

    let mut changed = std::vec::Vec::new();
    let mut kept = 0;
    for (page, resident) in machine.contents(space).pages.range(range) {
        kept += 1;
        if resident.write && !new.access.write {
            changed.push(*page);
        }
    }
    machine.stats.pages_kept += kept;
    machine.protect(space, &changed, false);
    machine.contents(space).regions.insert(new);
}

/// One fault, being resolved.
struct Fault<'m> {
    machine: &'m mut Machine,
    space: Space,
    page: u64,
    /// The thread that faults, and when.
    by: (u32, u64),
    region: Region,
}

impl<'m> Fault<'m> {
    fn new(machine: &'m mut Machine, space: Space, page: u64, by: (u32, u64)) -> Self {
        let region = machine.contents(space).regions.at(page);
        // Rule 5.
        machine.stats.guessed_regions += u64::from(region.is_none());
        Self {
            machine,
            space,
            page,
            by,
            region: region.unwrap_or(Region::unknown(page)),
        }
    }

    fn resolve(mut self) {
        match self.machine.contents(self.space).pages.get(&self.page) {
            None => self.first(),
            Some(resident) => {
                let resident = *resident;
                self.machine.stats.resident_faults += 1;
                self.again(resident);
            }
        }
    }

    /// Rule 6: the page has no mapping.
    fn first(&mut self) {
        let access = self.region.access;
        let frame = match self.region.backing {
            Backing::Anonymous => self.machine.take(),
            Backing::Object { id, base } => {
                self.machine.stats.guessed_writes += u64::from(access.write);
                if access.write && access.private {
                    self.machine.take()
                } else {
                    self.machine.file((id, self.page.wrapping_add(base)))
                }
            }
        };
        self.enter(frame);
    }

    /// Rule 4: the page has a mapping.
    fn again(&mut self, old: Resident) {
        let access = self.region.access;
        let file = self.machine.frames.is_file(old.frame);
        let copy = if file {
            access.write && access.private
        } else {
            self.machine.frames.mappings(old.frame) > 1
        };
        let (by, at) = old.by;
        let raced = by != self.by.0 && self.by.1.saturating_sub(at) <= RACE_NS;
        if copy {
            self.machine.stats.cow_copies += 1;
            let frame = self.machine.take();
            self.enter(frame);
        } else if (access.write && !old.write) || raced || (file && old.inherited) {
            self.enter(old.frame);
        } else {
            self.machine.stats.guessed_unmaps += 1;
            self.machine.remove(self.space, self.page..self.page + 1);
            self.first();
        }
    }

    fn enter(&mut self, frame: super::script::Frame) {
        let new = Resident {
            frame,
            write: self.region.access.write,
            inherited: false,
            by: self.by,
        };
        self.machine.enter(self.space, self.page, new);
    }
}
