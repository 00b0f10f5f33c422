//! The machine that a script is written for: live spaces, what each maps, and the ops so far.
//!
//! Invariant: every change of the state is written as an op by the same call, so that a script can
//! only say what is legal; and the rules above it decide, they keep no books.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::vec::Vec;

use super::frames::{FilePage, Frames};
use super::region::Regions;
use super::script::{Frame, Op, Script, Space, Stats};

/// A page that has a mapping.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resident {
    /// What it is mapped to.
    pub(super) frame: Frame,
    /// Whether it may be written through.
    pub(super) write: bool,
    /// Whether it is as a fork left it in the child.
    pub(super) inherited: bool,
    /// The thread that faulted it in last, and when.
    pub(super) by: (u32, u64),
}

/// What one live space holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents {
    /// The mappings that the trace told of.
    pub(super) regions: Regions,
    /// The pages that are mapped.
    pub(super) pages: BTreeMap<u64, Resident>,
    /// Its page tables but the L4, by level and number.
    tables: BTreeSet<(u8, u64)>,
}

/// All spaces and frames, and the script that made them so.
#[derive(Debug, Default)]
pub(super) struct Machine {
    /// What is counted; the rules count here too.
    pub(super) stats: Stats,
    /// The frames.
    pub(super) frames: Frames,
    ops: Vec<Op>,
    /// By number; `None` is not alive.
    spaces: Vec<Option<Contents>>,
    /// Numbers of spaces to be used again, the lowest first.
    free: BTreeSet<u32>,
    loaded: Option<Space>,
    /// Page-table pages alive.
    tables: u64,
}

impl Machine {
    /// A machine with nothing alive; `stats` is what was counted so far.
    pub(super) fn new(stats: Stats) -> Self {
        Self {
            stats,
            ..Self::default()
        }
    }

    /// What a space holds; an empty one if it is not alive.
    pub(super) fn contents(&mut self, space: Space) -> &mut Contents {
        self.spaces[space.0 as usize].get_or_insert_default()
    }

    /// Makes an empty space.
    pub(super) fn create(&mut self) -> Space {
        let space = self.number(Contents::default());
        self.ops.push(Op::Create { space });
        space
    }

    /// Makes a copy of a space, and makes both read-only but for memory that is truly shared.
    pub(super) fn fork(&mut self, parent: Space) -> Space {
        let old = self.contents(parent);
        let mut shared = Vec::new();
        for region in old.regions.shared_writable() {
            let pages = old.pages.range(region.start..region.end);
            shared.extend(pages.filter(|(_, at)| at.write).map(|(page, _)| *page));
        }
        for resident in old.pages.values_mut() {
            resident.write = false;
        }
        let mut new = Contents {
            regions: old.regions.clone(),
            pages: old.pages.clone(),
            tables: BTreeSet::new(),
        };
        for resident in new.pages.values_mut() {
            resident.inherited = true;
            self.frames.map(resident.frame);
        }
        self.frames.note_peak();
        let copied: Vec<u64> = new.pages.keys().copied().collect();
        let child = self.number(new);
        self.ops.push(Op::Fork { parent, child });
        self.stats.copied_on_fork += copied.len() as u64;
        for page in copied {
            self.touch(child, page);
        }
        for space in [parent, child] {
            self.protect(space, &shared, true);
        }
        child
    }

    /// Ends a space and all its mappings.
    pub(super) fn destroy(&mut self, space: Space) {
        let old = std::mem::take(self.contents(space));
        self.spaces[space.0 as usize] = None;
        self.free.insert(space.0);
        self.tables -= 1 + old.tables.len() as u64;
        self.stats.pmap_destroys += 1;
        if self.loaded == Some(space) {
            self.loaded = None;
        }
        self.ops.push(Op::Destroy { space });
        for resident in old.pages.values() {
            self.unmap(resident.frame);
        }
    }

    /// Loads a space, if another is loaded.
    pub(super) fn switch(&mut self, space: Space) {
        if self.loaded != Some(space) {
            self.loaded = Some(space);
            self.stats.switches += 1;
            self.ops.push(Op::Switch { space });
        }
    }

    /// Takes a frame for anonymous memory.
    pub(super) fn take(&mut self) -> Frame {
        let frame = self.frames.take();
        self.ops.push(Op::Alloc { frame });
        frame
    }

    /// The frame of a file's page, taken if it is not there yet.
    pub(super) fn file(&mut self, page: FilePage) -> Frame {
        let (frame, new) = self.frames.of_file(page);
        if new {
            self.ops.push(Op::Alloc { frame });
        }
        frame
    }

    /// Maps a page, in place of what it was mapped to.
    pub(super) fn enter(&mut self, space: Space, page: u64, new: Resident) {
        let (frame, write) = (new.frame, new.write);
        self.stats.enters += 1;
        self.touch(space, page);
        self.frames.map(frame);
        self.ops.push(Op::Enter {
            space,
            page,
            frame,
            write,
        });
        if let Some(old) = self.contents(space).pages.insert(page, new) {
            self.unmap(old.frame);
        }
        self.frames.note_peak();
    }

    /// Unmaps what is mapped in a range; says how many pages that were.
    pub(super) fn remove(&mut self, space: Space, range: Range<u64>) -> u64 {
        let pages = &mut self.contents(space).pages;
        let old: Vec<(u64, Resident)> = pages.range(range).map(|(p, r)| (*p, *r)).collect();
        let (Some((first, _)), Some((last, _))) = (old.first(), old.last()) else {
            return 0;
        };
        let (page, pages) = (*first, last - first + 1);
        self.stats.removes += 1;
        self.ops.push(Op::Remove { space, page, pages });
        for (page, resident) in &old {
            self.contents(space).pages.remove(page);
            self.unmap(resident.frame);
        }
        old.len() as u64
    }

    /// Makes resident pages writable, run by run, or read-only.
    pub(super) fn protect(&mut self, space: Space, pages: &[u64], write: bool) {
        for run in pages.chunk_by(|page, next| page + 1 == *next) {
            for page in run {
                if let Some(resident) = self.contents(space).pages.get_mut(page) {
                    resident.write = write;
                }
            }
            self.stats.protects += 1;
            self.ops.push(Op::Protect {
                space,
                page: run[0],
                pages: run.len() as u64,
                write,
            });
        }
    }

    /// Ends everything that is left, and gives the script.
    pub(super) fn finish(mut self) -> Script {
        for number in 0..self.spaces.len() {
            if self.spaces[number].is_some() {
                self.destroy(Space(number as u32));
            }
        }
        for frame in self.frames.drain() {
            self.ops.push(Op::Free { frame });
        }
        let mut stats = self.stats;
        stats.peak_frames = u64::from(self.frames.peak());
        stats.peak_frames_unshared = self.frames.peak_unshared();
        stats.peak_spaces = self.spaces.len() as u64;
        stats.guesses = stats.guessed_writes + stats.guessed_unmaps + stats.guessed_regions;
        Script {
            ops: self.ops,
            spaces: self.spaces.len() as u32,
            frames: self.frames.peak(),
            stats,
        }
    }

    /// Gives a space its number and its L4.
    fn number(&mut self, contents: Contents) -> Space {
        self.stats.pmap_creates += 1;
        self.grow_tables(1);
        if let Some(number) = self.free.pop_first() {
            self.spaces[number as usize] = Some(contents);
            return Space(number);
        }
        self.spaces.push(Some(contents));
        Space((self.spaces.len() - 1) as u32)
    }

    /// Notes the page tables that a page needs.
    fn touch(&mut self, space: Space, page: u64) {
        let tables = &mut self.contents(space).tables;
        let mut new = 0;
        for level in 1..=3_u8 {
            // A table that is there has all the tables above it.
            if !tables.insert((level, page >> (9 * u32::from(level)))) {
                break;
            }
            new += 1;
        }
        self.grow_tables(new);
    }

    fn grow_tables(&mut self, new: u64) {
        self.tables += new;
        self.stats.peak_tables = self.stats.peak_tables.max(self.tables);
    }

    fn unmap(&mut self, frame: Frame) {
        if self.frames.unmap(frame) {
            self.ops.push(Op::Free { frame });
        }
    }
}
