//! The command `schedules`: rows in a pipe, schedules that can be run again, errors in one line.

use std::process::{Command, Output};

fn schedules(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_schedules"))
        .args(arguments)
        .output()
        .expect("it starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_control_is_caught_and_its_schedule_can_be_run_again() {
    let output = schedules(&["--schedules", "5", "--seed", "3", "unprotected"]);
    assert!(output.status.success());
    let out = text(&output.stdout);
    let rows: Vec<Vec<&str>> = out.lines().map(|l| l.split(',').collect()).collect();
    assert!(rows.len() > 1);
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{out}");
    let err = text(&output.stderr);
    let failed = err.lines().find_map(|line| line.split_once(": --replay "));
    let (_, replay) = failed.expect("a schedule that failed");
    let mut arguments = vec!["--replay"];
    arguments.extend(replay.split(' '));
    let again = schedules(&arguments);
    assert!(again.status.success());
    let finding = text(&again.stdout);
    assert!(finding.contains("stale uses"), "{finding}");
    assert!(out.contains(finding.trim_end()), "{finding}");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let run = || schedules(&["--schedules", "5", "--seed", "9", "percpu"]).stdout;
    assert_eq!(run(), run());
}

#[test]
fn an_error_is_one_line_and_a_code() {
    let wrong: [&[&str]; 8] = [
        &["--schedules"],
        &["--schedules", "many"],
        &["--seed", "-1"],
        &["--nonsense"],
        &["no_such_scheme"],
        &["percpu", "epoch"],
        &["--write", "percpu"],
        &["--replay", "91ff", "percpu"],
    ];
    for arguments in wrong {
        let output = schedules(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
        assert_eq!(text(&output.stderr).lines().count(), 1, "{arguments:?}");
    }
}
