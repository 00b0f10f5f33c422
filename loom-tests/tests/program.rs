//! The program's commands, run as their users run them: rows in a pipe, errors in one line, exit codes.

use std::process::{Command, Output, Stdio};

type Test = Result<(), Box<dyn std::error::Error>>;

fn proof(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proof"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn rows(output: &Output) -> Result<Vec<csv::StringRecord>, csv::Error> {
    csv::Reader::from_reader(&*output.stdout)
        .records()
        .collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn in_a_pipe_there_are_rows_and_nothing_else() -> Test {
    // A text: nothing is written.
    let asked = [
        "record",
        "stress",
        "stress/rwlock",
        "--holds",
        "300000",
        "--seed",
        "7",
    ];
    let output = proof(&asked).output()?;
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
    let output = proof(&["record", "stress", "stress/rwlock", "--holds", "1"]).output()?;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(rows(&output)?[0].iter().nth(9), Some("unproved"));
    Ok(())
}

#[test]
fn a_schedule_that_failed_can_be_run_again() -> Test {
    let asked = [
        "record",
        "schedules",
        "unprotected",
        "--verbose",
        "--seed",
        "3",
    ];
    let output = proof(&asked).output()?;
    assert!(output.status.success(), "{output:?}");
    let out = text(&output.stdout);
    let err = text(&output.stderr);
    let words = err.lines().find(|line| line.starts_with("replay "));
    let words: Vec<&str> = words.ok_or("no schedule to replay")?.split(' ').collect();
    let again = proof(&words).output()?;
    assert!(again.status.success(), "{again:?}");
    let finding = text(&again.stdout);
    assert!(finding.contains("stale uses"), "{finding}");
    assert!(out.contains(finding.trim_end()), "{finding}");
    Ok(())
}

#[test]
fn the_same_seed_gives_the_same_bytes() -> Test {
    let asked = [
        "record",
        "schedules",
        "percpu",
        "--schedules",
        "5",
        "--seed",
        "9",
    ];
    let run = || proof(&asked).output();
    assert_eq!(run()?.stdout, run()?.stdout);
    Ok(())
}

#[test]
fn a_model_is_a_row() -> Test {
    let output = proof(&["record", "models", "percpu/exclusion/1"]).output()?;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(rows(&output)?[0].iter().nth(6), Some("pass"));
    Ok(())
}

#[test]
fn an_error_is_one_line_and_a_code() -> Test {
    let wrong: [&[&str]; 9] = [
        &["record", "nonsense"],
        &["record", "models", "no_such_model"],
        &["record", "schedules", "--schedules"],
        &["record", "stress", "--holds", "many"],
        &["record", "--seed", "-1"],
        &["record", "stress", "--readers", "1"],
        &["replay", "percpu", "membarrier", "91ff"],
        &["replay", "percpu", "no_such_world", "91ff"],
        &["plain", "no_such_scheme"],
    ];
    for arguments in wrong {
        let output = proof(arguments).output()?;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
        let complaint = text(&output.stderr);
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
        assert!(complaint.starts_with("error: "), "{complaint}");
    }
    Ok(())
}

#[test]
fn a_reader_that_leaves_is_no_error() -> Test {
    let mut child = proof(&["plain", "--holds", "1000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    drop(child.stdout.take());
    let output = child.wait_with_output()?;
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    Ok(())
}
