//! Writing, reading back, and everything that can go wrong in between.

use super::*;
use crate::lab::provenance::{Kind, Setup};
use crate::lab::sample::Workload;

fn provenance() -> Provenance {
    Provenance::gather(Kind::Compare, Setup::default())
}

fn sample() -> Sample {
    Sample {
        workload: Workload::Hold,
        scheme: String::from("rwlock"),
        threads: 1,
        round: 0,
        ops: 1000,
        ns: 12.5,
        raw_before_ns: 0.5,
        raw_after_ns: 0.25,
        holds_per_op: None,
        lost: 0.0,
    }
}

fn suspend() -> SuspendSample {
    SuspendSample {
        scheme: String::from("rwlock"),
        readers: 1,
        dwell_us: 50,
        sample: 0,
        exclusivity_ns: 1,
        service_ns: 2,
        work_ns: 3,
        release_ns: 4,
        stall_ns: 5,
        hold_ns: 6,
        held_percent: 7,
        barrier_ns: Some(1),
        lost: 0.25,
    }
}

fn failure() -> Failure {
    Failure {
        workload: String::from("nested"),
        scheme: String::from("rwlock"),
        threads: 2,
        err: String::from("does not nest, \"deadlock\"\nsecond line"),
    }
}

fn hidden(results: &Path) -> usize {
    fs::read_dir(results).unwrap().count()
}

fn complete(results: &Path) -> PathBuf {
    let mut store = Store::create(results, &provenance()).unwrap();
    store.sample(&sample()).unwrap();
    store.suspend(&suspend()).unwrap();
    store.failure(&failure()).unwrap();
    store.finish().unwrap()
}

/// Columns are written by hand, because an empty table needs them too: they must be the fields.
#[test]
fn columns_are_the_fields() {
    fn header<T: Serialize>(row: &T) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.serialize(row).unwrap();
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        text.lines().next().unwrap().to_owned()
    }
    assert_eq!(header(&sample()), SAMPLE_COLUMNS.join(","));
    assert_eq!(header(&suspend()), SUSPEND_COLUMNS.join(","));
    assert_eq!(header(&failure()), FAILURE_COLUMNS.join(","));
}

#[test]
fn a_run_reads_back_as_it_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = complete(dir.path());
    assert_eq!(hidden(dir.path()), 1, "the run and nothing else");
    let run = Run::read(&path).unwrap();
    assert_eq!(run.samples, [sample()]);
    assert_eq!(run.suspends, [suspend()]);
    assert_eq!(run.failures, [failure()]);
    assert_eq!(newest(dir.path(), Kind::Compare).unwrap(), Some(path));
    assert_eq!(newest(dir.path(), Kind::Quick).unwrap(), None);
}

#[test]
fn what_is_not_finished_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::create(dir.path(), &provenance()).unwrap();
    store.sample(&sample()).unwrap();
    assert_eq!(hidden(dir.path()), 1);
    assert_eq!(newest(dir.path(), Kind::Compare).unwrap(), None);
    drop(store);
    assert_eq!(hidden(dir.path()), 0);
    let empty = Store::create(dir.path(), &provenance()).unwrap();
    let error = empty.finish().unwrap_err().to_string();
    assert!(error.contains("nothing was measured"), "{error}");
    assert_eq!(hidden(dir.path()), 0);
}

#[test]
fn the_next_run_clears_away_what_a_kill_left_but_not_a_run_under_way() {
    let dir = tempfile::tempdir().unwrap();
    let under_way = Store::create(dir.path(), &provenance()).unwrap();
    let abandoned = dir.path().join(".run-abandoned");
    fs::create_dir(&abandoned).unwrap();
    fs::write(abandoned.join(LOCK), "").unwrap();
    let next = Store::create(dir.path(), &provenance()).unwrap();
    assert!(!abandoned.exists());
    assert!(under_way.dir.path().exists());
    drop(next);
}

#[test]
fn two_runs_in_one_second_are_two() {
    let dir = tempfile::tempdir().unwrap();
    let provenance = provenance();
    let mut last = PathBuf::new();
    for _ in 0..3 {
        let mut store = Store::create(dir.path(), &provenance).unwrap();
        store.sample(&sample()).unwrap();
        last = store.finish().unwrap();
    }
    assert!(last.ends_with(format!("{}-3", provenance.run_name())));
    assert_eq!(newest(dir.path(), Kind::Compare).unwrap(), Some(last));
}

#[test]
fn a_folder_that_cannot_be_written_is_known_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Store::create(&file.join("results"), &provenance()).unwrap_err();
    assert!(matches!(error, ResultsError::Unwritable { .. }));
    let text = error.to_string();
    assert_eq!(text.lines().count(), 1);
    assert!(text.contains("choose a folder"), "{text}");
}

#[test]
fn a_time_that_is_none_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::create(dir.path(), &provenance()).unwrap();
    for ns in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let bad = Sample { ns, ..sample() };
        assert!(store.sample(&bad).is_err(), "{ns}");
    }
}

#[test]
fn the_reader_refuses_what_was_changed() {
    let dir = tempfile::tempdir().unwrap();
    let path = complete(dir.path());
    let whole = fs::read_to_string(path.join(SAMPLES)).unwrap();
    for (name, text, error) in [
        (SAMPLES, String::new(), "samples.csv:1: the file is empty"),
        (
            SAMPLES,
            whole.replace("ops", "oops"),
            "unknown column \"oops\"",
        ),
        (
            SAMPLES,
            whole.replace("12.5", "NaN"),
            "samples.csv:2: ns is NaN",
        ),
        (
            SAMPLES,
            whole.replace("hold,", "held,"),
            "unknown variant `held`",
        ),
        (RUN, String::from("{\n\"kind\": 1}"), "run.json:2: "),
    ] {
        let before = fs::read_to_string(path.join(name)).unwrap();
        fs::write(path.join(name), text).unwrap();
        let found = Run::read(&path).unwrap_err().to_string();
        assert!(found.contains(error), "{found}");
        assert_eq!(found.lines().count(), 1, "{found}");
        fs::write(path.join(name), before).unwrap();
    }
    fs::remove_file(path.join(ERRORS)).unwrap();
    let found = Run::read(&path).unwrap_err().to_string();
    assert!(found.contains("errors.csv: is missing"), "{found}");
}

#[test]
fn a_run_from_before_a_column_is_read_and_a_part_of_the_new_ones_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = complete(dir.path()).join(SUSPENDS);
    let old =
        "scheme,readers,dwell_us,sample,exclusivity_ns,service_ns,work_ns,release_ns,stall_ns";
    fs::write(&path, format!("{old}\nrwlock,1,0,0,1,2,3,4,5\n")).unwrap();
    let run = Run::read(path.parent().unwrap()).unwrap();
    let [suspend] = run.suspends.as_slice() else {
        panic!("{:?}", run.suspends);
    };
    let since = (suspend.hold_ns, suspend.held_percent, suspend.barrier_ns);
    assert_eq!(since, (0, 100, None));
    let second = format!("{old},hold_ns,held_percent,barrier_ns\nrwlock,1,0,0,1,2,3,4,5,6,7,8\n");
    fs::write(&path, second).unwrap();
    let run = Run::read(path.parent().unwrap()).unwrap();
    let read = |s: &SuspendSample| (s.hold_ns, s.barrier_ns, s.lost);
    assert_eq!(
        run.suspends.iter().map(read).next(),
        Some((6, Some(8), 0.0))
    );
    fs::write(&path, format!("{old},hold_ns\nrwlock,1,0,0,1,2,3,4,5,6\n")).unwrap();
    let error = Run::read(path.parent().unwrap()).unwrap_err().to_string();
    assert!(error.contains("held_percent"), "{error}");
}
