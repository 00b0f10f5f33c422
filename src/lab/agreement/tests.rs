//! Which pairs differ, and how much must be there to say that none does.

use super::*;
use crate::lab::measure::beside::Ratio;
use crate::lab::summary;
use crate::lab::summary::tests::made_up;
use std::fs;

fn row(scheme: &str, compared: f64, benched: f64) -> Compared {
    Compared {
        run: String::from("run"),
        commit: String::from("commit"),
        workload: Workload::Hold,
        scheme: scheme.to_owned(),
        compared,
        benched: Some(benched),
        doubt: String::new(),
    }
}

#[test]
fn only_an_order_by_a_factor_must_be_the_same() {
    let near = [row("a", 1.0, 10.0), row("b", 1.2, 9.0)];
    assert_eq!(disagreements(&near), [""; 0]);
    let alike = [row("a", 1.0, 10.0), row("b", 9.0, 12.0)];
    assert_eq!(disagreements(&alike), [""; 0]);
    let mut apart = [row("a", 1.0, 10.0), row("b", 1.6, 9.0)];
    assert_eq!((pairs(&apart), disagreements(&apart).len()), (1, 1));
    apart[1].doubt = String::from("noise");
    assert_eq!((pairs(&apart), disagreements(&apart).len()), (0, 0));
    apart[1] = Compared {
        workload: Workload::Nested,
        ..row("b", 1.6, 9.0)
    };
    assert_eq!(pairs(&apart), 0, "only within a workload");
}

#[test]
fn one_in_ten_may_lack_and_no_more() {
    let mut rows: Vec<Compared> = (0..10).map(|_| row("a", 1.0, 1.0)).collect();
    assert_eq!((too_few(&rows), left_out(&rows).len()), (None, 0));
    rows[0].benched = None;
    assert_eq!((too_few(&rows), left_out(&rows).len()), (None, 1));
    rows[1].doubt = String::from("noise");
    assert!(too_few(&rows).is_some_and(|why| why.contains("8 of 10")));
    assert!(too_few(&[]).is_some());
}

/// A folder of benchmarks of every row that must have one, and the rows.
fn benchmarks(made: &Stamp) -> (tempfile::TempDir, Vec<Row>) {
    let dir = tempfile::tempdir().unwrap();
    let rows = summary::rows(&made_up(3)).unwrap();
    for row in rows.iter().filter(|row| is_benched(row.workload)) {
        let folder = dir.path().join(row.workload.name()).join(&row.scheme);
        fs::create_dir_all(folder.join("new")).unwrap();
        ratio(1.0).write(&folder.join("new"), made).unwrap();
    }
    (dir, rows)
}

fn ratio(value: f64) -> Ratio {
    Ratio {
        halves: [value; 2],
        lost: 0.0,
    }
}

fn stamp(built: u64) -> Stamp {
    Stamp {
        commit: String::from("abc"),
        built,
    }
}

#[test]
fn what_another_program_left_and_what_is_no_benchmark_do_not_count() {
    let (dir, rows) = benchmarks(&stamp(7));
    let doubts = || left_out(&compare("run", &rows, dir.path()));
    assert_eq!(doubts(), [""; 0]);
    let of = |scheme: &str| dir.path().join("hold").join(scheme).join("new");
    fs::write(of("percpu").join("beside.json"), "rubbish").unwrap();
    fs::remove_file(of("rwlock").join("beside.json")).unwrap();
    ratio(1.0).write(&of("solaris"), &stamp(6)).unwrap();
    let out = doubts();
    assert_eq!(out.len(), 3, "{out:?}");
    for (scheme, why) in [
        ("hold/percpu: ", "cannot be understood"),
        ("hold/rwlock: ", "no benchmark"),
        ("hold/solaris: ", "another program"),
    ] {
        let says = |line: &&String| line.starts_with(scheme) && line.contains(why);
        assert_eq!(out.iter().filter(says).count(), 1, "{scheme} {out:?}");
    }
    assert_eq!(too_few(&compare("run", &rows, dir.path())), None);
}

#[test]
fn a_few_benchmarks_by_a_newer_program_leave_too_few() {
    let (dir, rows) = benchmarks(&stamp(7));
    assert_eq!(too_few(&compare("run", &rows, dir.path())), None);
    let newer = dir.path().join("hold/percpu/new");
    ratio(1.0).write(&newer, &stamp(8)).unwrap();
    assert!(too_few(&compare("run", &rows, dir.path())).is_some());
}
