//! Every model, twin and weakening, each a test, compared with `results/`.

use std::process::ExitCode;

fn main() -> ExitCode {
    loom_tests::kit().main()
}
