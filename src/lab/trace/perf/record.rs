//! What a line of `perf script` output can say.
//!
//! Invariant: these are perf's own words and numbers; nothing is checked or made of them here.

/// What one line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// The process; the same as the thread if the line shows only one number.
    pub pid: u32,
    /// The thread.
    pub tid: u32,
    /// Nanoseconds, on the trace's own clock.
    pub time_ns: u64,
    /// What happened.
    pub kind: Kind<'a>,
}

/// What a [`Record`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// A task has a new name.
    Comm {
        /// Whether it has it because it runs another program.
        exec: bool,
        /// The name.
        name: &'a str,
    },
    /// A range of addresses has a mapping, new or changed.
    Mmap2 {
        /// The first address.
        start: u64,
        /// Its length in bytes.
        len: u64,
        /// Where in the object it begins, in bytes.
        pgoff: u64,
        /// What is mapped.
        object: Object<'a>,
        /// How it may be used.
        access: Access,
        /// The file's name, or what the kernel says in its place.
        name: &'a str,
    },
    /// A page fault.
    Fault {
        /// The address that faulted.
        addr: u64,
    },
    /// A page fault whose line shows no address.
    FaultWithoutAddress,
    /// A task makes another.
    Fork {
        /// The new task's process.
        pid: u32,
        /// The new task.
        tid: u32,
        /// The process that makes it.
        ppid: u32,
        /// The thread that makes it.
        ptid: u32,
    },
    /// A task ends.
    Exit {
        /// Its process.
        pid: u32,
        /// The task.
        tid: u32,
    },
    /// Anything else.
    Other,
}

/// What a mapping maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object<'a> {
    /// The file with this number on the device `major:minor`; number 0 is no file.
    Inode {
        /// The device's major number.
        major: u32,
        /// The device's minor number.
        minor: u32,
        /// The file's number.
        inode: u64,
    },
    /// The file with this build id, in a trace recorded with `--buildid-mmap`.
    BuildId(&'a str),
}

/// How a mapping may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// It may be read.
    pub read: bool,
    /// It may be written.
    pub write: bool,
    /// It may be executed.
    pub execute: bool,
    /// What is written stays with the process.
    pub private: bool,
}
