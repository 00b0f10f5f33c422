//! What a trace becomes: a list of pmap operations, and what was counted on the way.
//!
//! # What a script promises
//!
//! Run from an empty machine, one pass of [`Script::ops`] keeps these invariants, and leaves the
//! machine empty again, so that it can be run in a loop:
//!
//! * A space lives from its [`Op::Create`], or the [`Op::Fork`] that names it as child, to its
//!   [`Op::Destroy`]; only live spaces are named. Numbers are below [`Script::spaces`] and reused.
//! * A frame is taken from [`Op::Alloc`] to [`Op::Free`]; only taken frames are entered, and a
//!   frame is freed only when no space maps it. Numbers are below [`Script::frames`] and reused.
//! * [`Op::Enter`], [`Op::Remove`] and [`Op::Protect`] concern the space that the last
//!   [`Op::Switch`] loaded; only the `Protect` ops straight after a `Fork` also name its child.
//! * [`Op::Remove`] and [`Op::Protect`] name a range whose first and last page are resident.
//! * Page numbers are below 2^35: user addresses only.

use std::vec::Vec;

/// One address space: a pmap, by the script's own number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Space(pub u32);

/// One page frame, by the script's own number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Frame(pub u32);

/// One thing that a kernel asks of its pmaps or of its page allocator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// An empty space comes to life.
    Create {
        /// The new space.
        space: Space,
    },
    /// A space comes to life with every resident mapping of its parent; in both, every mapping
    /// becomes read-only. Memory that is truly shared is made writable again by `Protect` ops.
    Fork {
        /// The space that is copied.
        parent: Space,
        /// The new space.
        child: Space,
    },
    /// A space dies, and every mapping in it; it may be the one that is loaded, and then none is.
    Destroy {
        /// The space that dies.
        space: Space,
    },
    /// Another space is loaded: a process switch, or an exec.
    Switch {
        /// The space that runs from here on.
        space: Space,
    },
    /// A free frame is taken: to be zeroed, copied into, or to hold a page of a file.
    Alloc {
        /// The frame.
        frame: Frame,
    },
    /// A frame that nothing maps any more is given back.
    Free {
        /// The frame.
        frame: Frame,
    },
    /// `pmap_enter`: a page is mapped to a frame, in place of what it was mapped to, if anything.
    Enter {
        /// The space, loaded.
        space: Space,
        /// The virtual address, shifted right by 12.
        page: u64,
        /// The frame, taken.
        frame: Frame,
        /// Whether the mapping may be written through.
        write: bool,
    },
    /// `pmap_remove`: every mapping in a range of pages goes; not every page in it has one.
    Remove {
        /// The space, loaded.
        space: Space,
        /// The first page.
        page: u64,
        /// How many pages.
        pages: u64,
    },
    /// `pmap_protect`: every mapping in a range of pages becomes writable or read-only; not every
    /// page in it has one.
    Protect {
        /// The space.
        space: Space,
        /// The first page.
        page: u64,
        /// How many pages.
        pages: u64,
        /// Whether the mappings may be written through from here on.
        write: bool,
    },
}

/// A trace, rebuilt: what to do to pmaps, in order.
///
/// The same trace always gives the same script, to the byte. What it promises is in the
/// [module's documentation](self).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// What to do, in order.
    pub ops: Vec<Op>,
    /// Space numbers in use: the largest number of spaces alive at once.
    pub spaces: u32,
    /// Frame numbers in use: the largest number of frames taken at once, page tables not counted.
    pub frames: u32,
    /// What was counted on the way.
    pub stats: Stats,
}

/// What was counted while a trace was rebuilt.
///
/// The first group is what the trace says; the second what was made of it; the third says where
/// the trace is silent and a rule decided instead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Stats {
    /// Lines read.
    pub lines: u64,
    /// Lines that say nothing about memory or tasks: other events, comments, blank lines.
    pub unknown_lines: u64,
    /// Page-fault records with an address.
    pub faults: u64,
    /// Of these, at kernel addresses: skipped.
    pub kernel_faults: u64,
    /// FORK records that make a process.
    pub forks: u64,
    /// FORK records that make a thread.
    pub threads: u64,
    /// COMM records that say exec.
    pub execs: u64,
    /// EXIT records, of threads and processes.
    pub exits: u64,
    /// MMAP2 records.
    pub mappings: u64,
    /// Time of the first fault or task record, in nanoseconds on the trace's own clock.
    pub first_ns: u64,
    /// Time of the last one.
    pub last_ns: u64,

    /// Forks whose child faults nothing before its exec: it runs in its parent's space.
    pub vforks: u64,
    /// Spaces made, by `Create` and by `Fork`.
    pub pmap_creates: u64,
    /// Spaces destroyed: by exec, exit and the end of the trace.
    pub pmap_destroys: u64,
    /// `Switch` ops.
    pub switches: u64,
    /// `Enter` ops.
    pub enters: u64,
    /// `Remove` ops.
    pub removes: u64,
    /// `Protect` ops.
    pub protects: u64,
    /// Mappings that forks copied.
    pub copied_on_fork: u64,
    /// Faults that copied a frame: shared since a fork, or a file's.
    pub cow_copies: u64,
    /// Faults on a page that was resident already.
    pub resident_faults: u64,
    /// Resident pages that a new mapping record of the same backing left in place.
    pub pages_kept: u64,
    /// Resident pages that a new mapping record of another backing removed.
    pub pages_replaced: u64,
    /// Largest number of spaces alive at once.
    pub peak_spaces: u64,
    /// Largest number of frames taken at once, those of file pages included; no page tables.
    pub peak_frames: u64,
    /// Largest number of frames taken at once if every fork copied at once what it shares: what
    /// a machine without copy-on-write needs. No page tables.
    pub peak_frames_unshared: u64,
    /// Largest number of page-table pages alive at once: an L4 a space, and an L3, L2 and L1 for
    /// every 512 GiB, 1 GiB and 2 MiB that a live space has ever had a page in.
    pub peak_tables: u64,

    /// Decisions that the trace does not support: the sum of the three below.
    pub guesses: u64,
    /// First faults on a file's page in a writable mapping, taken for writes.
    pub guessed_writes: u64,
    /// Faults on a mapped page that nothing explains: the page is taken to have been unmapped.
    pub guessed_unmaps: u64,
    /// Faults in no known mapping, taken for writable anonymous memory.
    pub guessed_regions: u64,
}
