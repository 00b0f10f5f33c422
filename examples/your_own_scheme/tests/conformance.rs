fn main() -> std::process::ExitCode {
    ptom::conformance::Kit::of::<your_own_scheme::Mine>().main()
}
