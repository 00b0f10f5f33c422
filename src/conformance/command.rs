//! The program's other words than a test program's: `record`, `replay`, `plain`, `help`.
//!
//! Rows go to standard output and nothing else does; progress, which is for terminals only, remarks and
//! errors go to standard error, each error as one line.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | done, and all is as expected; or the reader of our output left |
//! | 1 | something is not as expected, or could not be done |
//! | 2 | asked for something that there is not |

use super::kit::Kit;
use super::native::plan::Plan;
use super::native::{checks, plain};
use super::random::World;
use super::record::{self, Record};
use super::sampled::{Effort, Table};
use super::table::Sheet;
use clap::Parser;
use clap::error::ErrorKind;
use std::io;
use std::process::ExitCode;

/// Checks schemes. Without one of these commands: a test program, with the options of any.
#[derive(Debug, Parser)]
#[command(bin_name = "proof")]
enum Command {
    /// Explore and run everything, or one results file's part, and write the file.
    Record(Record),
    /// Run a random schedule again, and print what it finds.
    Replay {
        /// The scheme.
        scheme: String,
        /// The machine: membarrier or no_membarrier.
        world: String,
        /// The schedule, as it was printed.
        schedule: String,
    },
    /// Stress on plain memory, for ThreadSanitizer to watch; `expected` is what that must say.
    Plain {
        /// The one to stress, as its row names it; all, if there is none.
        scheme: Option<String>,
        #[command(flatten)]
        effort: Effort,
    },
}

/// Why a command ends early.
#[derive(Debug)]
pub(super) enum Error {
    /// There is no such thing.
    Usage(String),
    /// It could not be done.
    Failed(io::Error),
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// Whether a test program would not know this word.
pub(super) fn knows(word: &str) -> bool {
    ["record", "replay", "plain", "help"].contains(&word)
}

pub(super) fn main(kit: &Kit) -> ExitCode {
    let done = match Command::try_parse() {
        Ok(Command::Record(asked)) => record::main(kit, &asked),
        Ok(Command::Replay {
            scheme,
            world,
            schedule,
        }) => replay(kit, &scheme, &world, &schedule),
        Ok(Command::Plain { scheme, effort }) => sanitized(kit, scheme.as_deref(), &effort),
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            print!("{error}");
            Ok(0)
        }
        Err(error) => Err(Error::Usage(one_line(&error.to_string()))),
    };
    let (code, why) = match done {
        Ok(0) => return ExitCode::SUCCESS,
        Ok(rows) => (1, format!("{rows} not as expected")),
        // Whoever read our output has had enough.
        Err(Error::Failed(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            return ExitCode::SUCCESS;
        }
        Err(Error::Failed(error)) => (1, error.to_string()),
        Err(Error::Usage(why)) => (2, why),
    };
    eprintln!("error: {why}");
    ExitCode::from(code)
}

/// The parser's message, without its hints.
fn one_line(message: &str) -> String {
    let lines = message.lines().map(str::trim);
    let lines: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    let line = lines.join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}

fn replay(kit: &Kit, scheme: &str, world: &str, schedule: &str) -> Result<usize, Error> {
    // What it panics with is what it finds.
    std::panic::set_hook(Box::new(|_| {}));
    let mut jobs = kit.jobs.iter();
    let job = jobs.find(|job| (job.scheme, job.fences) == (scheme, world));
    let job = job.ok_or_else(|| Error::Usage(format!("no scheme {scheme} on {world}")))?;
    let found = (job.replay)(World::USUAL, schedule).map_err(|e| Error::Usage(e.to_string()))?;
    println!(
        "{}",
        found.map_or("nothing".to_owned(), |failure| failure.to_string())
    );
    Ok(0)
}

fn sanitized(kit: &Kit, only: Option<&str>, effort: &Effort) -> Result<usize, Error> {
    let mut cases: Vec<_> = kit.plain.iter().collect();
    cases.retain(|case| only.is_none_or(|only| only == case.name));
    if cases.is_empty() {
        let only = only.unwrap_or("at all");
        return Err(Error::Usage(format!("no scheme {only}")));
    }
    let mut sheet = Sheet::default();
    sheet.header(Table::Stress.header())?;
    for case in cases {
        let plan = Plan {
            holds: effort.holds,
            readers: effort.readers as usize,
            seed: effort.seed,
        };
        sheet.row(&checks::line(case, plan, &plain::stress(case, plan)).fields)?;
        sheet.flush()?;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Command::command().debug_assert();
    }

    #[test]
    fn a_complaint_is_one_line() {
        for wrong in [
            "record nonsense",
            "record stress --holds",
            "record --holds 0",
            "record --readers 65",
            "record --seed -1",
            "replay percpu",
            "plain --nonsense",
            "plain a b",
        ] {
            let words = std::iter::once("proof").chain(wrong.split(' '));
            let complaint = one_line(&Command::try_parse_from(words).unwrap_err().to_string());
            assert!(
                !complaint.is_empty() && !complaint.contains('\n'),
                "{complaint}"
            );
        }
    }
}
