//! The four misuses that do not compile, each for its own reason: the compiler's words are kept
//! beside each file, so that a program that fails for another reason is noticed.
//!
//! The words are one release's. With another one the documentation's `compile_fail` examples still
//! check that the same four programs do not compile.

use std::process::Command;

/// The release whose words are kept.
const RUSTC: &str = concat!("rustc ", env!("CARGO_PKG_RUST_VERSION"));

#[test]
fn misuses_do_not_compile() {
    let version = Command::new("rustc").arg("--version").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    if !version.starts_with(RUSTC) {
        println!("{version} words its errors in another way than {RUSTC}: not compared");
        return;
    }
    trybuild::TestCases::new().compile_fail("tests/misuse/*.rs");
}
