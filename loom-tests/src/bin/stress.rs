//! Stress and litmus tests on the machine, as CSV on standard output.
//!
//! | to | run |
//! |---|---|
//! | stress every scheme, 10^7 holds each | `stress` |
//! | stress some, longer | `stress --holds 1000000000 --seed 7 --readers 3 percpu` |
//! | ask the machine itself | `stress --litmus` |
//! | write `results/stress.csv`, `results/litmus-native.csv` and their provenance | `stress --write` |
//! | give `ThreadSanitizer` something to watch | `stress --plain` |
//!
//! A row is printed as soon as it is known. The exit code is 1 if one is not as expected, 2 if the
//! command line is wrong.

use loom_tests::native::arguments::{Arguments, Mode};
use loom_tests::native::{litmus, results, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(wrong) => {
            eprintln!("stress: {wrong}");
            return ExitCode::from(2);
        }
    };
    let done = match arguments.mode {
        Mode::Stress => run::stress(&arguments).map(|rows| rows.surprises),
        Mode::Plain => run::plain(&arguments).map(|()| 0),
        Mode::Litmus => litmus::run(&arguments).map(|rows| rows.surprises),
        Mode::Write => results::write(&arguments),
    };
    match done {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        // Whoever read our output has had enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stress: {error}");
            ExitCode::FAILURE
        }
    }
}
