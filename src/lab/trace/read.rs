//! A trace's lines, read into the events that matter, or found not to be a trace.
//!
//! Invariant: an event concerns user pages only, below [`USER_PAGES`], and its ranges are not empty.

use std::collections::BTreeMap;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::error::{TraceError, TraceErrorKind};
use super::perf::{self, Kind, Object, Record};
use super::region::{Backing, Region};
use super::script::Stats;
use super::source::{Source, Text};

/// Pages below the end of user addresses, 2^47.
pub(super) const USER_PAGES: u64 = 1 << (47 - PAGE_SHIFT);

const PAGE_SHIFT: u32 = 12;

/// The longest line that is read: far more than perf prints.
const LINE_LIMIT: u64 = 1 << 20;

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// The process it happened to; for a fork, the one that forks.
    pub(super) pid: u32,
    /// The thread.
    pub(super) tid: u32,
    /// When.
    pub(super) time_ns: u64,
    /// What.
    pub(super) what: What,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The process runs another program.
    Exec,
    /// A mapping is made or changed.
    Map(Region),
    /// A page is faulted on.
    Fault { page: u64 },
    /// A task is made: a thread, if it is of the same process.
    Fork { pid: u32, tid: u32 },
    /// The task ends.
    Exit,
}

/// Reads a trace to its end.
///
/// # Errors
///
/// If it cannot be read, is cut off, or is not what `perf script` prints of page faults.
pub(super) fn read(source: &Source) -> Result<(Vec<Event>, Stats), TraceError> {
    let mut text = source.open()?;
    let mut reader = Reader::default();
    let mut line = Vec::new();
    loop {
        text.line(&mut line, LINE_LIMIT)?;
        if line.is_empty() {
            break;
        }
        if let Err(kind) = reader.line(&line) {
            return Err(text.nonsense(kind));
        }
    }
    reader.finish(&text)
}

/// What has been read so far.
#[derive(Debug, Default)]
struct Reader {
    events: Vec<Event>,
    stats: Stats,
    /// Records understood, those that make no event included.
    records: u64,
    /// Fault records whose address is not zero, and those that have none or zero.
    with_address: u64,
    without_address: u64,
    objects: Objects,
    /// The process of each thread, for lines that show the thread's number only.
    processes: BTreeMap<u32, u32>,
}

impl Reader {
    /// Takes in one line with its end, which only the last may lack.
    fn line(&mut self, line: &[u8]) -> Result<(), TraceErrorKind> {
        self.stats.lines += 1;
        let number = self.stats.lines;
        let foreign = |what: &str| TraceErrorKind::Foreign {
            reason: format!("line {number} {what}"),
        };
        if line.contains(&0) {
            return Err(foreign("holds a NUL byte"));
        }
        let ended = line.ends_with(b"\n");
        if !ended && line.len() as u64 >= LINE_LIMIT {
            return Err(foreign("is longer than 1 MiB"));
        }
        // A command's or a file's name may be in any encoding; a line that is nothing else may not.
        let text = String::from_utf8_lossy(line);
        match perf::parse(text.trim_end_matches(['\n', '\r'])) {
            // perf ends every line: one without its end may have lost digits of its address.
            _ if !ended && self.records > 0 => {
                return Err(TraceErrorKind::TextCut { line: number });
            }
            Some(record) if record.kind != Kind::Other => self.record(&record),
            _ if std::str::from_utf8(line).is_err() => return Err(foreign("is not text")),
            _ => self.stats.unknown_lines += 1,
        }
        Ok(())
    }

    /// Takes in one record.
    fn record(&mut self, record: &Record<'_>) {
        self.records += 1;
        let what = match record.kind {
            Kind::Comm { exec, .. } => exec.then(|| {
                self.stats.execs += 1;
                What::Exec
            }),
            Kind::Mmap2 {
                start,
                len,
                pgoff,
                object,
                access,
                name,
            } => {
                self.stats.mappings += 1;
                let end = start.saturating_add(len).div_ceil(1 << PAGE_SHIFT);
                let (start, end) = (start >> PAGE_SHIFT, end.min(USER_PAGES));
                let backing = self.objects.backing(&object, name, pgoff, start);
                (start < end).then_some(What::Map(Region {
                    start,
                    end,
                    backing,
                    access,
                }))
            }
            Kind::Fault { addr } => {
                self.stats.faults += 1;
                self.with_address += u64::from(addr != 0);
                self.without_address += u64::from(addr == 0);
                let page = addr >> PAGE_SHIFT;
                let user = page < USER_PAGES;
                self.stats.kernel_faults += u64::from(!user);
                user.then_some(What::Fault { page })
            }
            Kind::FaultWithoutAddress => {
                self.without_address += 1;
                self.stats.unknown_lines += 1;
                None
            }
            Kind::Fork { pid, tid, ppid, .. } => {
                let thread = pid == ppid;
                self.stats.forks += u64::from(!thread);
                self.stats.threads += u64::from(thread);
                self.processes.insert(tid, pid);
                Some(What::Fork { pid, tid })
            }
            Kind::Exit { .. } => {
                self.stats.exits += 1;
                Some(What::Exit)
            }
            Kind::Other => None,
        };
        let Some(what) = what else { return };
        let pid = if record.pid == record.tid {
            self.processes
                .get(&record.tid)
                .copied()
                .unwrap_or(record.pid)
        } else {
            record.pid
        };
        if what == What::Exit {
            self.processes.remove(&record.tid);
        }
        if self.events.is_empty() {
            self.stats.first_ns = record.time_ns;
        }
        self.stats.last_ns = self.stats.last_ns.max(record.time_ns);
        self.events.push(Event {
            pid,
            tid: record.tid,
            time_ns: record.time_ns,
            what,
        });
    }

    /// What was read, if it was a trace.
    fn finish(self, text: &Text) -> Result<(Vec<Event>, Stats), TraceError> {
        if self.stats.lines == 0 {
            Err(text.fail(TraceErrorKind::Empty))
        } else if self.records == 0 {
            Err(text.fail(TraceErrorKind::Foreign {
                reason: "it has no record of a page fault or a task".to_string(),
            }))
        } else if self.with_address == 0 && self.without_address > 0 {
            Err(text.fail(TraceErrorKind::NoAddresses))
        } else {
            Ok((self.events, self.stats))
        }
    }
}

/// The objects that mappings name, numbered in the order they are met.
#[derive(Debug, Default)]
struct Objects {
    inodes: BTreeMap<(u32, u32, u64), u32>,
    names: BTreeMap<String, u32>,
}

impl Objects {
    /// What is behind a mapping that begins at the page `start`.
    fn backing(&mut self, object: &Object<'_>, name: &str, pgoff: u64, start: u64) -> Backing {
        let next = u32::try_from(self.inodes.len() + self.names.len()).unwrap_or(u32::MAX);
        let id = match *object {
            Object::Inode { inode: 0, .. } => match name {
                // Pages of the kernel's own, the same in every process.
                "[vdso]" | "[vvar]" | "[vvar_vclock]" => {
                    *self.names.entry(name.into()).or_insert(next)
                }
                _ => return Backing::Anonymous,
            },
            Object::Inode {
                major,
                minor,
                inode,
            } => *self.inodes.entry((major, minor, inode)).or_insert(next),
            Object::BuildId(id) => *self.names.entry(id.into()).or_insert(next),
        };
        let base = (pgoff >> PAGE_SHIFT).wrapping_sub(start);
        Backing::Object { id, base }
    }
}
