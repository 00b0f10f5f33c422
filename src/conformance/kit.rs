//! The kit as its users meet it: a test program, and the command that records its results.

use super::audit;
use super::case::Case;
use super::child;
use super::command;
use super::counting;
use super::exhaustive::bound::{self, Bound};
use super::exhaustive::explore;
use super::harness;
use super::native::payload::Words;
use super::native::plain::Plain;
use super::native::{checks, registry};
use super::random::{self, Job, Jobs};
use super::sampled::Check;
use super::subject::{self, Subject};
use crate::scheme::Registry;
use std::path::PathBuf;
use std::process::ExitCode;

/// What is to be checked.
#[derive(Debug)]
pub struct Kit {
    pub(super) subjects: Vec<Subject>,
    /// What is not a scheme of the registry: twins and litmus tests.
    pub(super) others: Vec<Case>,
    /// What is not explored, but run: schedules, progress, stress, litmus tests.
    pub(super) checks: Vec<Check>,
    /// The random world of each scheme and machine.
    pub(super) jobs: Vec<Job>,
    /// The stress of each scheme on plain memory.
    pub(super) plain: Vec<registry::Case<Plain>>,
    /// Where the results are, if they are kept.
    pub(super) results: Option<PathBuf>,
}

impl Kit {
    /// Every check of every scheme of a registry, each model explored as far as is
    /// [usual](bound::usual).
    pub fn of<R: Registry>() -> Self {
        Self::bounded::<R>(bound::usual)
    }

    /// The same, each model explored as far as `bound` says.
    pub fn bounded<R: Registry>(bound: Bound) -> Self {
        let subjects = subject::all::<R>(bound);
        let jobs = Jobs::of::<R>().0;
        // Who holds nobody up makes no progress to speak of.
        let holds = |job: &&Job| {
            subjects
                .iter()
                .any(|s| s.name == job.scheme && s.claims.holds)
        };
        let mut checks = checks::all::<R>();
        checks.push(counting::check::<R>());
        checks.extend(jobs.iter().copied().map(random::checks::schedules));
        checks.extend(
            jobs.iter()
                .filter(holds)
                .copied()
                .map(random::checks::progress),
        );
        Self {
            subjects,
            others: Vec::new(),
            checks,
            jobs,
            plain: registry::sanitized::<R, _>(),
            results: None,
        }
    }

    /// Adds cases that are no scheme's of the registry: twins, which must fail.
    #[must_use]
    pub fn with(mut self, cases: Vec<Case>) -> Self {
        self.others.extend(cases);
        self
    }

    /// Adds schemes that run on the machine only, and so are stressed and nothing else.
    #[must_use]
    pub fn with_native(mut self, cases: Vec<registry::Case<Words>>) -> Self {
        self.checks.extend(cases.into_iter().map(checks::intact));
        self
    }

    /// Keeps what is found in this directory: whatever differs from its `models.csv` and
    /// `orderings.csv`, or has no row in the others, fails, and an ordering is attacked by the model
    /// that killed it last time.
    #[must_use]
    pub fn recorded_in(mut self, results: impl Into<PathBuf>) -> Self {
        self.results = Some(results.into());
        self
    }

    /// Every case, in the order of its row.
    ///
    /// # Panics
    /// If two have the same key.
    pub fn cases(&self) -> Vec<Case> {
        let of = |subject: &Subject| [subject.suite.clone(), subject.worse.clone()].concat();
        let mut cases: Vec<Case> = self.subjects.iter().flat_map(of).collect();
        cases.extend(self.others.iter().cloned());
        cases.sort_by_key(|case| (case.scheme.clone(), case.model, case.readers));
        let twice = cases.windows(2).find(|pair| pair[0].key() == pair[1].key());
        assert!(twice.is_none(), "two cases of one name: {twice:?}");
        cases
    }

    pub(super) fn subject(&self, name: &str) -> Option<&Subject> {
        self.subjects.iter().find(|subject| subject.name == name)
    }

    /// The whole program: the tests, with the options of any test program; or, after the word `record`,
    /// everything explored, run, and written down. (`help` knows more words.)
    pub fn main(self) -> ExitCode {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        match arguments.as_slice() {
            [child::FLAG, what @ ..] => self.child(what),
            [word, ..] if command::knows(word) => command::main(&self),
            _ => harness::main(self),
        }
    }

    fn child(&self, what: &[&str]) -> ExitCode {
        match *what {
            ["case", key] => match self.cases().iter().find(|case| case.key() == key) {
                Some(case) => explore::first_failure(std::slice::from_ref(case)),
                None => fail(&format!("no case {key}")),
            },
            ["sites", name] => match self.subject(name) {
                Some(subject) => audit::reach(subject),
                None => fail(&format!("no scheme {name}")),
            },
            ["weaken", name, weakening, ref only @ ..] => {
                match (self.subject(name), weakening.parse()) {
                    (Some(subject), Ok(weakening)) => audit::attack(subject, weakening, only),
                    _ => fail(&format!("no weakening {weakening} of {name}")),
                }
            }
            _ => fail("a child needs to know what to do"),
        }
    }
}

/// One line, and an exit code that is not 0.
pub(super) fn fail(message: &str) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::FAILURE
}
