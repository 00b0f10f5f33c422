//! The page frames of a rebuilt trace: who maps each, and which hold a file's pages.
//!
//! Invariant: a frame is free exactly if it is in `free`; an anonymous frame that nothing maps is
//! freed by the call that drops the last mapping; a file's frame stays until [`Frames::drain`],
//! because the page cache keeps it.

use std::collections::BTreeMap;
use std::vec::Vec;

use super::script::Frame;

/// A page of a file: the object's number and the page in it.
pub(super) type FilePage = (u32, u64);

/// One frame that is or was taken.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// Mappings of it, in all spaces.
    mappings: u64,
    /// Whether it holds a file's page.
    file: bool,
}

/// All frames.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// By number.
    states: Vec<State>,
    /// Numbers to be used again, the last freed first.
    free: Vec<u32>,
    /// The frame of each file page that was ever read.
    files: BTreeMap<FilePage, Frame>,
    /// Mappings of anonymous frames: the frames they would need if none were shared.
    unshared: u64,
    /// The largest number of frames so needed, those of file pages included.
    peak_unshared: u64,
}

impl Frames {
    /// Takes a frame for anonymous memory.
    pub(super) fn take(&mut self) -> Frame {
        self.take_for(false)
    }

    /// The frame of a file's page, and whether it had to be taken.
    pub(super) fn of_file(&mut self, page: FilePage) -> (Frame, bool) {
        if let Some(frame) = self.files.get(&page) {
            return (*frame, false);
        }
        let frame = self.take_for(true);
        self.files.insert(page, frame);
        (frame, true)
    }

    /// Whether a frame holds a file's page.
    pub(super) fn is_file(&self, frame: Frame) -> bool {
        self.state(frame).file
    }

    /// How many mappings a frame has.
    pub(super) fn mappings(&self, frame: Frame) -> u64 {
        self.state(frame).mappings
    }

    /// Notes one more mapping.
    pub(super) fn map(&mut self, frame: Frame) {
        let state = &mut self.states[frame.0 as usize];
        state.mappings += 1;
        if !state.file {
            self.unshared += 1;
        }
    }

    /// Notes one mapping less; says whether that freed the frame.
    pub(super) fn unmap(&mut self, frame: Frame) -> bool {
        let state = &mut self.states[frame.0 as usize];
        state.mappings -= 1;
        if state.file {
            return false;
        }
        self.unshared -= 1;
        let last = state.mappings == 0;
        if last {
            self.free.push(frame.0);
        }
        last
    }

    /// Gives up every file's frame, in the order of the files; nothing may map them any more.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Frame> {
        std::mem::take(&mut self.files).into_values()
    }

    /// Notes how many frames would be taken if none were shared: to be called after each change of
    /// mappings that is whole, so that a page being mapped anew does not count twice.
    pub(super) fn note_peak(&mut self) {
        let needed = self.unshared + self.files.len() as u64;
        self.peak_unshared = self.peak_unshared.max(needed);
    }

    /// The largest number of frames taken at once.
    pub(super) fn peak(&self) -> u32 {
        // Numbers are reused before a new one is made, so the count of numbers is the peak.
        u32::try_from(self.states.len()).unwrap_or(u32::MAX)
    }

    /// The largest number of frames that would be taken at once if none were shared by a fork.
    pub(super) fn peak_unshared(&self) -> u64 {
        self.peak_unshared
    }

    fn take_for(&mut self, file: bool) -> Frame {
        let state = State { mappings: 0, file };
        if let Some(number) = self.free.pop() {
            self.states[number as usize] = state;
            return Frame(number);
        }
        let number = self.peak();
        self.states.push(state);
        Frame(number)
    }

    fn state(&self, frame: Frame) -> State {
        self.states[frame.0 as usize]
    }
}
