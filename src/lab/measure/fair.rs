//! Batches that are repeated while another process spoils them.
//!
//! Each at most [`REPEATS`] times, and all together at most as often as there are batches: on a busy
//! machine a run takes twice its time, and no more. What is then still spoilt is taken as it is, and
//! the medians must bear it.

use super::batch::{Beat, Done};
use super::neighbours::{REPEATS, spoilt};
use super::observe::{Halt, Observer};
use super::team::Team;

/// Repeats what another process spoilt.
pub(super) struct Fair {
    repeats: u32,
    batches: u32,
    repeated: u32,
}

impl Fair {
    pub(super) fn new(possible: bool) -> Self {
        Self {
            repeats: if possible { REPEATS } else { 0 },
            batches: 0,
            repeated: 0,
        }
    }

    pub(super) fn batch(&mut self, team: &mut Team<'_>, beat: Beat) -> Result<Done, Halt> {
        self.batches += 1;
        let mut done = team.batch(beat)?;
        for _ in 0..self.repeats {
            if !spoilt(done.lost, done.nanos) || self.repeated >= self.batches {
                break;
            }
            self.repeated += 1;
            done = team.batch(beat)?;
        }
        Ok(done)
    }

    /// One line, if it was often.
    pub(super) fn tell(&self, observer: &mut dyn Observer) {
        if self.repeated * 20 > self.batches {
            observer.note(BUSY);
        }
    }
}

/// What a run on a busy machine says.
pub(super) const BUSY: &str =
    "other processes had our CPUs: more than one batch in twenty had to be repeated";
