//! The `ptom` command.
//!
//! What a command finds goes to standard output and nothing else does; progress, notes and errors go
//! to standard error, each error as one line that begins with `ptom: `. A reader that has seen enough
//! (`ptom list | head -1`) ends the command quietly.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | done, or the reader of our output left |
//! | 1 | could not be done |
//! | 2 | asked for something that there is not |
//! | 130 | interrupted; nothing was written |

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use output::Out;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

mod agree;
mod compare;
mod list;
mod migrate;
mod names;
mod output;
mod progress;
mod replay;
mod report;
mod signal;
mod sweep;

/// Which lock should keep a Xen guest's machine frame numbers true while it is suspended?
#[derive(Debug, Parser)]
#[command(name = "ptom", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure the schemes against an unprotected read, and against each other.
    Compare(compare::Args),
    /// Show every scheme, what it promises, and where it comes from.
    List(list::Args),
    /// Write report.md from the results, or check that it matches them.
    Report(report::Args),
    /// Replay a recorded trace on the simulated machine.
    Replay(replay::Args),
    /// Empty the alternate slots of up to a million pmaps, in every way, and write sweep.csv.
    Sweep(sweep::Args),
    /// Check that `cargo bench` and the newest comparison rank alike.
    Agree(agree::Args),
}

/// Why a command ends early.
#[derive(Debug)]
pub(super) enum Error {
    /// The user asked for something that there is not.
    Usage(String),
    /// It could not be done.
    Failed(String),
    /// Ctrl-C.
    Interrupted,
    /// Whoever read our output has left.
    Closed,
}

/// Runs the command of this process's arguments.
pub fn main() -> ExitCode {
    let mut out = Out::new();
    let done = parse(&mut out).and_then(|cli| match cli {
        None => Ok(()),
        Some(Command::Compare(args)) => compare::run(&args, &mut out),
        Some(Command::List(args)) => list::run(&args, &mut out),
        Some(Command::Report(args)) => report::run(&args, &mut out),
        Some(Command::Replay(args)) => replay::run(&args, &mut out),
        Some(Command::Sweep(args)) => sweep::run(&args, &mut out),
        Some(Command::Agree(args)) => agree::run(&args, &mut out),
    });
    match done.and_then(|()| out.flush()) {
        Ok(()) | Err(Error::Closed) => ExitCode::SUCCESS,
        Err(Error::Usage(why)) => fail(&why, 2),
        Err(Error::Failed(why)) => fail(&why, 1),
        Err(Error::Interrupted) => fail("interrupted; nothing was written", 130),
    }
}

fn fail(why: &str, code: u8) -> ExitCode {
    output::complain(why);
    ExitCode::from(code)
}

/// The command, or nothing if help or the version was asked for, and printed.
fn parse(out: &mut Out) -> Result<Option<Command>, Error> {
    match Cli::try_parse() {
        Ok(cli) => Ok(Some(cli.command)),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                out.text(&error.to_string())?;
                Ok(None)
            }
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                Err(Error::Usage("which command? see `ptom --help`".into()))
            }
            _ => Err(Error::Usage(one_line(&error.to_string()))),
        },
    }
}

/// The parser's message without its usage lines, on one line.
fn one_line(message: &str) -> String {
    let message = message.split("\nUsage:").next().unwrap_or(message);
    let words = message.split("For more information").next();
    let words: Vec<&str> = words.unwrap_or(message).split_whitespace().collect();
    let line = words.join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}

/// The user's seed, or one that no other run has.
fn seed(given: Option<u64>) -> u64 {
    given.unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.map_or(1, |now| now.as_secs())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_message_is_one_line() {
        let message = "error: no\n\n  tip: yes\n\nUsage: ptom\n\nFor more information, try";
        assert_eq!(one_line(message), "no tip: yes");
    }
}
