//! The `ptom` command; see [`ptom::lab::cli`].

fn main() -> std::process::ExitCode {
    ptom::lab::cli::main()
}
