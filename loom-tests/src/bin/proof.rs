//! The kit's program for the schemes of this repository; `record` rewrites the results.

use std::process::ExitCode;

fn main() -> ExitCode {
    loom_tests::kit().main()
}
