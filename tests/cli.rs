//! The `ptom` command, run as its users run it.

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin_cmd;
use ptom::backend::Native;
use ptom::lab::peers::built;
use ptom::native::each_native;
use ptom::scheme::{Scheme, Visit};
use std::io::Read;
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

fn ptom(args: &[&str]) -> Command {
    let mut command = cargo_bin_cmd!("ptom");
    command.args(args);
    command
}

fn output(args: &[&str]) -> Result<Output, std::io::Error> {
    ptom(args).output()
}

/// What it says on standard error: one line, or nothing.
fn complaint(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.lines().count() <= 1, "more than a line: {text}");
    text
}

fn names() -> Vec<&'static str> {
    struct Names(Vec<&'static str>);
    impl Visit<Native> for Names {
        fn visit<S: Scheme<Native>>(&mut self) {
            self.0.push(S::NAME);
        }
    }
    let mut names = Names(Vec::new());
    each_native(&mut names);
    names.0
}

fn rows(output: &Output) -> Result<Vec<serde_json::Value>, serde_json::Error> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(serde_json::from_str).collect()
}

type Test = Result<(), Box<dyn std::error::Error>>;

#[test]
fn list_has_every_scheme_of_the_registry() -> Test {
    let table = output(&["list"])?;
    assert!(table.status.success());
    assert_eq!(complaint(&table), "");
    let text = String::from_utf8(table.stdout)?;
    let json = rows(&output(&["list", "--format", "json"])?)?;
    for (name, row) in names().into_iter().zip(&json) {
        assert!(text.lines().any(|line| line.starts_with(name)), "{name}");
        assert_eq!(row["scheme"], name);
        assert_eq!(row["control"], row["holds"] == false);
    }
    let peers: Vec<_> = built().map(|(peer, _)| peer).collect();
    for (peer, row) in peers.iter().zip(&json[names().len()..]) {
        assert!(text.lines().any(|line| line.starts_with(peer.name)));
        assert_eq!(row["peer"], peer.name);
        assert_eq!(row["gives"], serde_json::to_value(peer.gives)?);
    }
    assert_eq!(json.len(), names().len() + peers.len());
    Ok(())
}

#[test]
fn what_there_is_not_is_refused_in_one_line_that_says_what_there_is() -> Test {
    for (flag, known) in [("--scheme", "percpu_asym"), ("--workload", "nested")] {
        let refused = output(&["compare", flag, "nonsense"])?;
        assert_eq!(refused.status.code(), Some(2));
        assert!(refused.stdout.is_empty());
        let line = complaint(&refused);
        assert!(line.starts_with("ptom: "), "{line}");
        assert!(line.contains("nonsense") && line.contains(known), "{line}");
    }
    Ok(())
}

#[test]
fn bad_flags_are_refused_in_one_line() -> Test {
    let bad: [&[&str]; 8] = [
        &[],
        &["nonsense"],
        &["list", "--nonsense"],
        &["compare", "--threads", "0"],
        &["compare", "--threads", "many"],
        &["list", "--format", "xml"],
        &["replay", "--migrate", "--vcpus", "65"],
        &["replay", "--migrate", "--vcpus", "0"],
    ];
    for args in bad {
        let refused = output(args)?;
        assert_eq!(refused.status.code(), Some(2), "{args:?}");
        assert!(complaint(&refused).starts_with("ptom: "), "{args:?}");
    }
    Ok(())
}

#[test]
fn a_replay_that_memory_would_not_suffice_for_is_refused() -> Test {
    for (more, fits) in [
        (&["--max-memory", "900"][..], true),
        (&["--max-memory", "3"], false),
    ] {
        let replay = ["replay", "--migrate", "--scheme", "percpu", "--inject", "0"];
        let run = output(&[&replay, more].concat())?;
        assert_eq!(run.status.success(), fits, "{more:?}");
        let said = String::from_utf8_lossy(&run.stderr);
        let refused = said.lines().last().is_some_and(|line| {
            line.starts_with("ptom: 2 vCPUs need ") && line.ends_with(" MB: use fewer")
        });
        assert_eq!(refused, !fits, "{said}");
    }
    Ok(())
}

#[test]
fn help_is_no_error() -> Test {
    for args in [&["--help"][..], &["compare", "--help"], &["--version"]] {
        let help = output(args)?;
        assert!(help.status.success());
        assert_eq!(complaint(&help), "");
        assert!(!help.stdout.is_empty());
    }
    Ok(())
}

#[test]
fn a_quick_comparison_of_two_schemes_has_all_its_rows() -> Test {
    let run = output(&[
        "compare",
        "--quick",
        "--format",
        "json",
        "--seed",
        "7",
        "--threads",
        "1,2",
        "--scheme",
        "percpu_asym,rwlock",
    ])?;
    assert!(run.status.success(), "{}", complaint(&run));
    let rows = rows(&run)?;
    for workload in ["hold", "dependent", "snapshot"] {
        for scheme in ["unprotected", "percpu_asym", "rwlock"] {
            for threads in [1, 2] {
                let found = rows.iter().any(|row| {
                    row["workload"] == workload
                        && row["scheme"] == scheme
                        && row["threads"] == threads
                });
                assert!(found, "{workload} {scheme} x{threads}");
            }
        }
    }
    let excused = rows
        .iter()
        .find(|row| row["workload"] == "nested" && row["scheme"] == "rwlock");
    assert!(excused.is_some_and(|row| row["err"].is_string() && row["ratio"].is_null()));
    Ok(())
}

#[test]
fn more_threads_than_cpus_still_run_and_say_so() -> Test {
    let cpus = std::thread::available_parallelism()?.get();
    let threads = (cpus + 1).to_string();
    let run = output(&[
        "compare",
        "--quick",
        "--scheme",
        "percpu",
        "--workload",
        "hold",
        "--threads",
        &threads,
    ])?;
    assert!(run.status.success());
    let said = String::from_utf8(run.stderr)?;
    assert!(said.contains(&format!("{threads} threads share")), "{said}");
    Ok(())
}

/// Wakes up all the time, and wants a CPU each time, until told to stop: more of these than there are CPUs.
fn busy<R>(work: impl FnOnce() -> R) -> std::io::Result<R> {
    const AWAKE: Duration = Duration::from_micros(300);
    let cpus = std::thread::available_parallelism()?.get();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 * cpus {
            scope.spawn(|| {
                while !over.load(Relaxed) {
                    let woken = Instant::now();
                    while woken.elapsed() < AWAKE {
                        std::hint::spin_loop();
                    }
                    std::thread::sleep(AWAKE);
                }
            });
        }
        let worked = work();
        over.store(true, Relaxed);
        Ok(worked)
    })
}

#[test]
fn a_run_on_a_busy_machine_says_that_it_is_not_to_be_trusted() -> Test {
    let dir = tempfile::tempdir()?;
    let results = dir.path().to_string_lossy().into_owned();
    let what = ["compare", "--quick", "--workload", "hold,suspend"];
    let more = [
        "--scheme",
        "percpu",
        "--threads",
        "1",
        "--results",
        &results,
    ];
    let run = busy(|| output(&[&what[..], &more[..]].concat()))??;
    assert!(run.status.success());
    let said = String::from_utf8(run.stderr)?;
    // A batch of holds may be short enough to be spared when it is repeated; ten suspends are not.
    let spoilt = "suspend, readers 1: other processes spoilt";
    assert!(
        said.contains("not to be trusted") && said.contains(spoilt),
        "{said}"
    );
    let tables = String::from_utf8(run.stdout)?;
    assert!(
        tables.contains("NOT TO BE TRUSTED: other processes"),
        "{tables}"
    );
    let kept = std::fs::read_dir(dir.path())?.next().ok_or("no run")??;
    let kept = std::fs::read_to_string(kept.path().join("run.json"))?;
    let kept: serde_json::Value = serde_json::from_str(&kept)?;
    let names = |key: &str, words: &str| {
        let texts = kept[key].as_array().into_iter().flatten();
        let mut texts = texts.filter_map(|text| text.as_str());
        texts.any(|text| text.contains(words))
    };
    assert!(names("distrust", spoilt), "{kept}");
    assert!(names("notes", "other processes had our CPUs"), "{kept}");
    Ok(())
}

#[test]
fn an_agreement_needs_a_comparison() -> Test {
    let dir = tempfile::tempdir()?;
    let refused = ptom(&["agree", "--results"]).arg(dir.path()).output()?;
    assert_eq!(refused.status.code(), Some(1));
    assert!(complaint(&refused).contains("no comparison"));
    Ok(())
}

#[test]
fn a_results_folder_that_cannot_be_is_an_error_before_measuring() -> Test {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("a-file");
    std::fs::write(&file, "")?;
    let mut command = ptom(&["compare", "--quick", "--results"]);
    let refused = command.arg(file.join("results")).output()?;
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stdout.is_empty());
    assert!(complaint(&refused).contains("cannot be written"));
    Ok(())
}

#[test]
fn a_reader_that_leaves_ends_it_quietly() -> Test {
    let ptom = assert_cmd::cargo::cargo_bin!("ptom");
    for _ in 0..10 {
        let mut child = std::process::Command::new(ptom)
            .args(["list", "--format", "json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        drop(child.stdout.take());
        let mut said = String::new();
        if let Some(mut stderr) = child.stderr.take() {
            stderr.read_to_string(&mut said)?;
        }
        assert_eq!(said, "");
        assert_eq!(child.wait()?.code(), Some(0));
    }
    Ok(())
}

#[test]
#[cfg(unix)]
fn an_interrupted_run_writes_nothing() -> Test {
    let dir = tempfile::tempdir()?;
    let ptom = assert_cmd::cargo::cargo_bin!("ptom");
    let mut child = std::process::Command::new(ptom)
        .args(["compare", "--results"])
        .arg(dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stderr = child.stderr.take().ok_or("no stderr")?;
    // The first thing it says comes after Ctrl-C is caught.
    let mut said = vec![0; 5];
    stderr.read_exact(&mut said)?;
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT)?;
    let mut rest = String::new();
    stderr.read_to_string(&mut rest)?;
    assert_eq!(child.wait()?.code(), Some(130));
    assert!(
        rest.ends_with("ptom: interrupted; nothing was written\n"),
        "{rest}"
    );
    assert_eq!(std::fs::read_dir(dir.path())?.count(), 0);
    Ok(())
}

#[test]
fn a_small_sweep_writes_its_rows_and_its_plot() -> Test {
    let dir = tempfile::tempdir()?;
    let results = dir.path().to_string_lossy().into_owned();
    let small = ["sweep", "--max-pmaps", "100", "--max-roots", "1000"];
    let more = ["--dirty", "8", "--format", "json", "--results", &results];
    let swept = output(&[&small[..], &more[..]].concat())?;
    assert!(swept.status.success());
    let rows = rows(&swept)?;
    assert_eq!(rows.len(), 3 * 6);
    let text = std::fs::read_to_string(dir.path().join("sweep.csv"))?;
    assert_eq!(text.lines().count(), 1 + rows.len());
    let plot = std::fs::read_to_string(dir.path().join("plots/sweep.svg"))?;
    for row in &rows {
        assert!(row["err"].is_null(), "{row}");
        let way = row["way"].as_str().ok_or("no way")?;
        assert!(plot.contains(way), "{way}");
    }
    // Notes only: no bar in a pipe.
    let said = String::from_utf8(swept.stderr)?;
    assert!(
        said.lines().all(|line| line.starts_with("ptom: ")),
        "{said}"
    );
    Ok(())
}

#[test]
fn a_sweep_refuses_nonsense_in_one_line() -> Test {
    let bad: [&[&str]; 4] = [
        &["--dirty", "90%"],
        &["--charge", "syscall=1"],
        &["--charge", "read"],
        &["--max-pmaps", "1"],
    ];
    for args in bad {
        let refused = output(&[&["sweep"], args].concat())?;
        assert_eq!(refused.status.code(), Some(2), "{args:?}");
        assert!(complaint(&refused).starts_with("ptom: "), "{args:?}");
    }
    Ok(())
}
