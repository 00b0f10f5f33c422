//! The `stress` program, run as its users run it.

use std::process::{Command, Output, Stdio};

type Test = Result<(), Box<dyn std::error::Error>>;

fn stress(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stress"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn rows(output: &Output) -> Result<Vec<csv::StringRecord>, csv::Error> {
    csv::Reader::from_reader(&*output.stdout)
        .records()
        .collect()
}

#[test]
fn in_a_pipe_there_are_rows_and_nothing_else() -> Test {
    let output = stress(&["--holds", "300000", "--seed", "7", "rwlock"]).output()?;
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    let rows = rows(&output)?;
    assert_eq!(rows.len(), 1);
    let row: Vec<&str> = rows[0].iter().collect();
    assert_eq!(row[..3], ["rwlock", "2", "300000"]);
    assert_eq!(row[5..7], ["0", "0"]);
    assert_eq!(row[8..], ["7", "pass", "pass"]);
    Ok(())
}

#[test]
fn what_shows_nothing_is_an_exit_code() -> Test {
    let output = stress(&["--holds", "1", "rwlock"]).output()?;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(rows(&output)?[0].iter().nth(9), Some("unproved"));
    Ok(())
}

#[test]
fn a_wrong_command_line_is_refused_in_one_line() -> Test {
    for wrong in [&["--holds", "many"][..], &["nonsense"], &["--nonsense"]] {
        let output = stress(wrong).output()?;
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(output.stdout.is_empty(), "{wrong:?}");
        let complaint = String::from_utf8(output.stderr)?;
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
        assert!(complaint.starts_with("stress: "), "{complaint}");
    }
    Ok(())
}

#[test]
fn a_reader_that_leaves_is_no_error() -> Test {
    let mut child = stress(&["--holds", "1000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    drop(child.stdout.take());
    let output = child.wait_with_output()?;
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    Ok(())
}
