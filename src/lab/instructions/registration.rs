//! What it costs to register a reader, and to let it go: a line of `registration.csv`.
//!
//! Instructions, counted as those of a hold: they repeat exactly, and show what grows with the number of
//! readers. That number is the one beside which the reader comes, itself included: with 1 it is the first.
//! It takes the place that is found last, since no other is free.
//!
//! A scheme without registration takes the loop's few instructions. So does a lock that finds its
//! reader by thread: its threads register when they first hold, and that is not in here.

use super::gate::Counted;
use super::tally::{self, Uncounted};
use crate::backend::Native;
use crate::native::each_native;
use crate::platform::origin;
use crate::scheme::{Full, Scheme, Size, Visit};
use serde::{Deserialize, Serialize};
use std::hint::black_box;
use std::path::Path;

/// The file of the results folder.
pub const FILE: &str = "registration.csv";

/// Operations of the shorter run; the longer one does twice as many.
pub const OPS: u64 = 1_000;

/// One scheme, with so many readers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// The scheme.
    pub scheme: String,
    /// Readers registered, this one included.
    pub readers: usize,
    /// Instructions of registering it and letting it go, with their share of the loop, to a hundredth.
    pub instructions: f64,
    /// What the machine code is for.
    pub target: String,
    /// What compiled it: `rustc -V`.
    pub compiler: String,
}

impl Registration {
    /// The columns of the file, in its order.
    pub const COLUMNS: [&'static str; 5] =
        ["scheme", "readers", "instructions", "target", "compiler"];

    /// Counts a scheme by running `program`, which is to [`register`] as its last three arguments say.
    ///
    /// # Errors
    /// If a run cannot be counted.
    pub fn count(program: &Path, scheme: &str, readers: usize) -> Result<Self, Uncounted> {
        let arguments = ["register", scheme, &readers.to_string()];
        Ok(Self {
            scheme: scheme.to_owned(),
            readers,
            instructions: tally::per_operation(program, &arguments, OPS)?,
            target: std::env::consts::ARCH.to_owned(),
            compiler: origin::rustc(),
        })
    }
}

impl Counted for Registration {
    fn key(&self) -> String {
        format!("registration of 1 of {}/{}", self.readers, self.scheme)
    }

    fn instructions(&self) -> f64 {
        self.instructions
    }

    fn made(&self) -> (&str, &str) {
        (&self.target, &self.compiler)
    }
}

/// Registers a reader and lets it go, `ops` times, beside one less than `readers` others; false if there is
/// no such scheme.
///
/// # Errors
/// [`Full`], which a scheme with room for `readers` never is.
pub fn register(scheme: &str, readers: usize, ops: u64) -> Result<bool, Full> {
    let mut registering = Registering {
        scheme,
        readers,
        ops,
        done: None,
    };
    each_native(&mut registering);
    registering.done.transpose().map(|done| done.is_some())
}

struct Registering<'n> {
    scheme: &'n str,
    readers: usize,
    ops: u64,
    done: Option<Result<(), Full>>,
}

impl Visit<Native> for Registering<'_> {
    fn visit<S: Scheme<Native>>(&mut self) {
        if S::NAME == self.scheme {
            self.done = Some(come_and_go::<S>(self.readers, self.ops));
        }
    }
}

fn come_and_go<S: Scheme<Native>>(readers: usize, ops: u64) -> Result<(), Full> {
    let scheme = black_box(S::new(Size::readers(readers)));
    let others = (1..readers).map(|_| scheme.reader());
    let others = others.collect::<Result<Vec<_>, Full>>()?;
    for _ in 0..black_box(ops) {
        drop(black_box(scheme.reader()?));
    }
    drop(others);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::footprint::READERS;
    use crate::lab::summary::registered;

    #[test]
    fn every_scheme_has_room_for_the_last_reader_again_and_again() {
        for scheme in registered() {
            for readers in READERS {
                let done = register(scheme.name, readers, 3);
                assert_eq!(done, Ok(true), "{} {readers}", scheme.name);
            }
        }
        assert_eq!(register("a_stranger", 1, 3), Ok(false));
    }
}
