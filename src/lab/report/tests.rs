//! The report as a whole, from a run of made-up samples.

use super::*;
use crate::lab::store::Store;
use crate::lab::summary::registered;
use crate::lab::summary::tests::made_up;
use tempfile::TempDir;

const MODELS: &str = "scheme,model,readers,bound,executions,complete,verdict,expected,finding,seconds\n\
    percpu,exclusion,1,,109,yes,pass,pass,,0.1\n\
    percpu,nested,1,3,500,no,pass,pass,,0.1\n\
    rwlock,nested,1,,12,no,fail,fail,deadlock: every thread waits for ever,0.1\n";

/// The other files of verdicts.
const VERDICTS: [(&str, &str); 8] = [
    (
        "orderings.csv",
        "scheme,file,line,column,operation,ordering,weaker,verdict,model,readers,bound,executions,finding\n\
        percpu,src/scheme/percpu.rs,98,5,fence,SeqCst,AcqRel,killed,percpu/exclusion,1,2,7,race: x\n",
    ),
    (
        "schedules.csv",
        "scheme,world,vcpus,scheduler,seed,schedules,steps,stale uses,verdict,expected,finding\n\
        percpu,membarrier,8,random,1,100,9000,0,pass,pass,\n",
    ),
    (
        "progress.csv",
        "scheme,world,property,readers,seed,seeds,worst steps,median steps,bound,verdict,expected,finding\n\
        percpu,membarrier,hold_after_asking,2,1,1,,,,pass,pass,it waits\n",
    ),
    (
        "snapshots.csv",
        "scheme,overtaken,stores,rmws,verdict,expected\nseqlock,no,0,0,pass,pass\n",
    ),
    (
        "stress.csv",
        "scheme,readers,holds,suspends,waited,torn,stale,seconds,seed,verdict,expected\n\
        std_rwlock,2,1000,10,30,0,0,0.5,1,pass,pass\n",
    ),
    (
        "footprint.csv",
        "scheme,readers,lock,made,reader,held\npercpu,1,256,512,24,512\n",
    ),
    (
        "instructions.csv",
        "scheme,workload,instructions,target,compiler\npercpu,hold,14,x86_64,rustc 1\n",
    ),
    (
        "registration.csv",
        "scheme,readers,instructions,target,compiler\npercpu,1,31,x86_64,rustc 1\n",
    ),
];

/// A folder with a results folder in it, complete.
fn complete() -> (TempDir, PathBuf, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let (results, report) = (dir.path().join("results"), dir.path().join("report.md"));
    let run = made_up(20);
    let mut store = Store::create(&results, &run.provenance).unwrap();
    for sample in &run.samples {
        store.sample(sample).unwrap();
    }
    for sample in &run.suspends {
        store.suspend(sample).unwrap();
    }
    for failure in &run.failures {
        store.failure(failure).unwrap();
    }
    store.finish().unwrap();
    fs::write(results.join("models.csv"), MODELS).unwrap();
    for (file, text) in VERDICTS {
        fs::write(results.join(file), text).unwrap();
    }
    (dir, results, report)
}

fn found(results: &Path, report: &Path) -> Vec<String> {
    let differences = check(results, report).err().unwrap_or_default();
    let lines: Vec<_> = differences.iter().map(ToString::to_string).collect();
    for line in &lines {
        assert_eq!(line.lines().count(), 1, "{line}");
    }
    lines
}

#[test]
fn a_generated_report_is_checked_and_generated_twice_it_is_the_same() {
    let (_dir, results, report) = complete();
    let changed = generate(&results, &report).unwrap();
    assert_eq!(changed.len(), 4, "three plots and the report: {changed:?}");
    assert_eq!(found(&results, &report), [""; 0]);
    assert!(generate(&results, &report).unwrap().is_empty());
    let text = fs::read_to_string(&report).unwrap();
    for wanted in [
        "](results/plots/hold.svg)",
        "checked: 2 threads to bound 3; crossed, deep not run",
        "checked: 0 writes in 1 snapshots",
        "declared, not checked; stressed natively: pass",
        "| percpu | 1 | 1 | 1 | 0 | 0 | 0 | exclusion 1 |",
        "no, counterexample",
    ] {
        assert!(text.contains(wanted), "{wanted}");
    }
    let machine = results.parent().unwrap().display().to_string();
    assert!(!text.contains(&machine), "a path of the machine");
    for scheme in registered() {
        assert!(text.contains(scheme.name), "{}", scheme.name);
    }
}

#[test]
fn a_hand_edit_inside_a_block_is_a_difference_and_outside_it_is_kept() {
    let (_dir, results, report) = complete();
    generate(&results, &report).unwrap();
    let text = fs::read_to_string(&report).unwrap();
    let edited =
        text.replace("checked: 2 threads to bound 3", "checked") + "\nA sentence by hand.\n";
    fs::write(&report, edited).unwrap();
    let found = found(&results, &report);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found.concat().contains("block claims"), "{found:?}");
    generate(&results, &report).unwrap();
    let mended = fs::read_to_string(&report).unwrap();
    assert_eq!(mended, text + "\nA sentence by hand.\n");
}

#[test]
fn an_edited_plot_a_changed_sample_and_lacking_models_are_differences() {
    let (_dir, results, report) = complete();
    generate(&results, &report).unwrap();
    fs::write(results.join("plots/hold.svg"), "<svg/>").unwrap();
    assert!(found(&results, &report).concat().contains("hold.svg"));
    generate(&results, &report).unwrap();
    fs::remove_file(results.join("models.csv")).unwrap();
    let lines = found(&results, &report);
    assert!(
        lines.concat().contains("results/models.csv: is missing"),
        "{lines:?}"
    );
    generate(&results, &report).unwrap();
    let text = fs::read_to_string(&report).unwrap();
    assert!(text.contains("There is no models.csv."));
    for (file, _) in VERDICTS {
        fs::remove_file(results.join(file)).unwrap();
        let lines = found(&results, &report).concat();
        assert!(lines.contains(&format!("{file}: is missing")), "{lines}");
    }
}

#[test]
fn without_results_the_blocks_say_so_and_the_check_fails() {
    let dir = tempfile::tempdir().unwrap();
    let (results, report) = (dir.path().join("results"), dir.path().join("report.md"));
    assert!(
        found(&results, &report)
            .concat()
            .contains("report.md: is missing")
    );
    assert_eq!(generate(&results, &report).unwrap(), [report.as_path()]);
    let text = fs::read_to_string(&report).unwrap();
    assert!(text.contains("No results yet"));
    let lines = found(&results, &report);
    assert_eq!(lines.len(), 1 + 9, "{lines:?}");
}

#[test]
fn an_excerpt_is_filled_and_checked() {
    let (dir, results, _) = complete();
    let readme = dir.path().join("README.md");
    fs::write(
        &readme,
        "# Ours\n<!-- BEGIN answer -->\n<!-- END answer -->\ntail\n",
    )
    .unwrap();
    assert!(check_excerpt(&results, &readme).is_err());
    assert!(generate_excerpt(&results, &readme).unwrap());
    assert!(!generate_excerpt(&results, &readme).unwrap());
    assert!(check_excerpt(&results, &readme).is_ok());
    let text = fs::read_to_string(&readme).unwrap();
    assert!(
        text.contains("1. The cheapest hold is") && text.ends_with("tail\n"),
        "{text}"
    );
}

#[test]
fn a_comparison_that_leaves_something_out_makes_no_report() {
    let (_dir, results, report) = complete();
    let mut run = made_up(3);
    run.samples.retain(|sample| sample.workload.ranks());
    run.provenance.started = String::from("9999-01-01T00:00:00Z");
    let mut store = Store::create(&results, &run.provenance).unwrap();
    for sample in &run.samples {
        store.sample(sample).unwrap();
    }
    store.finish().unwrap();
    let error = generate(&results, &report).unwrap_err().to_string();
    assert!(error.contains("leaves out dependent, snapshot"), "{error}");
    assert!(
        error.contains("replay_cargo_build, suspend: compare everything"),
        "{error}"
    );
    assert!(!report.exists());
}

#[test]
fn broken_markers_leave_the_report_as_it_was() {
    let (_dir, results, report) = complete();
    fs::write(&report, "# Mine\n<!-- BEGIN hold -->\n").unwrap();
    let error = generate(&results, &report).unwrap_err().to_string();
    assert!(
        error.contains("report.md:2: block \"hold\" has no END"),
        "{error}"
    );
    let text = fs::read_to_string(&report).unwrap();
    assert_eq!(text, "# Mine\n<!-- BEGIN hold -->\n");
}

/// Figures belong into blocks. The year of the question and a manual's section are no figures.
#[test]
fn the_prose_has_no_figures() {
    let mut inside = false;
    for (number, line) in (1..).zip(TEMPLATE.lines()) {
        if line.starts_with("<!-- ") {
            inside = line.starts_with("<!-- BEGIN");
        } else if !inside {
            let line = line.replace("membarrier(2)", "");
            let words = line.split(|c: char| !c.is_alphanumeric() && c != '.');
            let figures = words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit()));
            let figures: Vec<_> = figures.filter(|word| *word != "2009").collect();
            assert!(figures.is_empty(), "report.md:{number}: {figures:?}");
        }
    }
}

/// Plots stay readable with more schemes than there are: their labels do not overlap by design,
/// and every scheme has one.
#[test]
fn every_scheme_is_in_every_plot() {
    let (_dir, results, report) = complete();
    generate(&results, &report).unwrap();
    for plot in ["hold", "suspend", "tradeoff"] {
        let svg = fs::read_to_string(results.join(format!("plots/{plot}.svg"))).unwrap();
        for scheme in registered() {
            let label = format!(">{}<", scheme.name);
            let lines: String = svg.split('\n').map(str::trim).collect();
            assert!(lines.contains(&label), "{plot}: {}", scheme.name);
        }
    }
}
