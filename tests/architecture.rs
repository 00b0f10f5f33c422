//! The shape of the house, as tests: layers one way, every scheme registered, every registered
//! scheme modelled, benched and reported, no cfg where it must not be.

use ptom::backend::Native;
use ptom::lab::peers::{KNOWN, Peer};
use ptom::lab::provenance::Kind;
use ptom::lab::sample::Workload;
use ptom::lab::store::newest;
use ptom::native::each_native;
use ptom::scheme::{Ours, Registry, Scheme, Visit};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// From the lowest up: a layer may name those before it.
const LAYERS: [&str; 11] = [
    "backend",
    "primitive",
    "scheme",
    "xen",
    "pmap",
    "suspend",
    "platform",
    "lock",
    "native",
    "conformance",
    "lab",
];

/// So many of them are the core.
const CORE: usize = 6;

/// The files that may have unsafe code.
const UNSAFE: [&str; 12] = [
    "conformance/exhaustive/stage.rs",
    "conformance/native/plain.rs",
    "lab/measure/place.rs",
    "lab/peers/c/ffi.rs",
    "lab/peers/seize.rs",
    "lock/excludes.rs",
    "lock/handle.rs",
    "lock/raw.rs",
    "lock/shards.rs",
    "lock/threads.rs",
    "native/percpu_rseq/restart.rs",
    "native/percpu_rseq/section.rs",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    files
}

fn layer_of(file: &Path) -> Option<usize> {
    let inside = file.strip_prefix(root().join("src")).ok()?;
    let first = Path::new(inside.components().next()?.as_os_str()).with_extension("");
    LAYERS.iter().position(|l| Path::new(l) == first)
}

/// Code without its comments.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().filter(|l| !l.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn dependencies_point_one_way() {
    let mut seen = BTreeSet::new();
    for file in rust_files(&root().join("src")) {
        let Some(layer) = layer_of(&file) else {
            continue;
        };
        seen.insert(layer);
        let code = code(&file);
        for above in &LAYERS[layer + 1..] {
            let named = code.contains(&format!("crate::{above}"));
            assert!(!named, "{} names the layer {above}", file.display());
        }
    }
    assert_eq!(seen.len(), LAYERS.len(), "a layer has no file: {seen:?}");
}

#[test]
fn the_core_depends_on_nothing() {
    for file in rust_files(&root().join("src")) {
        let native = file.ends_with("backend/native.rs");
        let core = layer_of(&file).is_some_and(|l| l < CORE) && !native;
        if !core {
            continue;
        }
        let code = code(&file);
        for foreign in ["std::", "core::sync::atomic::Atomic", "rustix::", "unsafe "] {
            let found = code.contains(foreign);
            assert!(!found, "{} has `{foreign}`", file.display());
        }
    }
}

#[test]
fn unsafe_code_is_in_the_list() {
    for file in rust_files(&root().join("src")) {
        let allows = code(&file).contains("allow(unsafe_code)");
        let listed = UNSAFE.iter().any(|name| file.ends_with(name));
        assert_eq!(allows, listed, "{}", file.display());
    }
}

#[test]
fn no_custom_cfg_anywhere() {
    let mut dirs = vec![root().join("src"), root().join("loom-tests")];
    dirs.extend(["benches", "examples", "tests"].map(|d| root().join(d)));
    for file in dirs.iter().flat_map(|d| rust_files(d)) {
        let code = code(&file);
        for forbidden in [concat!("cfg(", "loom"), concat!("todo", "!")] {
            assert!(!code.contains(forbidden), "{}", file.display());
        }
    }
}

/// Lines from an ordering up to the comment that argues for it: a call may be broken over as many.
const REACH: usize = 10;

#[test]
fn every_ordering_says_why() {
    let mut checked = 0;
    for file in rust_files(&root().join("src")) {
        let in_core = layer_of(&file).is_some_and(|l| l < CORE && LAYERS[l] != "backend");
        if !in_core {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
        for (at, line) in lines.iter().enumerate() {
            let words = line.split(|c: char| !c.is_alphanumeric());
            let strong = words.into_iter().any(|w| STRONG.contains(&w));
            let no_code = line.starts_with("//") || line.starts_with("use ") || line.contains('"');
            if !strong || no_code {
                continue;
            }
            checked += 1;
            let comments = lines[at.saturating_sub(REACH)..at].iter();
            let argued = comments.rev().any(|l| l.contains("ORDERING:"));
            assert!(
                argued,
                "{}:{} has no ORDERING comment",
                file.display(),
                at + 1
            );
        }
    }
    assert!(checked > 50, "only {checked} orderings found");
}

#[test]
fn every_explanation_has_its_survivor() {
    let rows = fs::read_to_string(root().join("results/orderings.csv")).unwrap();
    let explained: Vec<Vec<&str>> = rows
        .lines()
        .map(|row| row.split(',').take(8).collect())
        .filter(|row: &Vec<&str>| row[7] == "explained")
        .collect();
    let mut checked = 0;
    for file in rust_files(&root().join("src/scheme"))
        .into_iter()
        .chain(rust_files(&root().join("src/primitive")))
    {
        let name = file.strip_prefix(root()).unwrap().to_string_lossy();
        let text = fs::read_to_string(&file).unwrap();
        for (at, line) in text.lines().enumerate() {
            let Some(audit) = line.trim_start().strip_prefix("// AUDIT: ") else {
                continue;
            };
            let (change, rest) = audit.split_once(" survives in ").expect("what survives");
            let (from, to) = change.split_once(" to ").expect("from what to what");
            let (schemes, _) = rest.split_once(": ").expect("a reason");
            for scheme in schemes.split(", ") {
                let found = explained.iter().any(|row| {
                    let line: usize = row[2].parse().unwrap();
                    let near = (at + 1..=at + 1 + REACH).contains(&line);
                    let of_scheme = scheme == "any scheme" || row[0] == scheme;
                    of_scheme && row[1] == name && near && (row[5], row[6]) == (from, to)
                });
                assert!(found, "{name}:{}: nothing survives so in {scheme}", at + 1);
                checked += 1;
            }
        }
    }
    assert!(checked > 0);
}

const STRONG: [&str; 4] = ["Release", "Acquire", "AcqRel", "SeqCst"];

struct Names(Vec<(&'static str, bool)>);

impl Visit<Native> for Names {
    fn visit<S: Scheme<Native>>(&mut self) {
        self.0.push((S::NAME, S::CLAIMS.holds));
    }
}

fn ours() -> Vec<(&'static str, bool)> {
    let mut names = Names(Vec::new());
    Ours::each::<Native>(&mut names);
    names.0
}

fn all() -> Vec<(&'static str, bool)> {
    let mut names = Names(Vec::new());
    each_native(&mut names);
    names.0
}

/// Files of `scheme` and `native` that are no scheme.
const NO_SCHEME: [&str; 6] = ["mod", "locked", "tests", "lines", "restart", "section"];

#[test]
fn every_scheme_file_is_registered() {
    let dirs = ["src/scheme", "src/native"].map(|dir| root().join(dir));
    let files: BTreeSet<String> = dirs
        .iter()
        .flat_map(|dir| rust_files(dir))
        .map(|f| f.file_stem().unwrap().to_string_lossy().into_owned())
        .filter(|stem| !NO_SCHEME.contains(&stem.as_str()))
        .collect();
    let names: Vec<String> = all().iter().map(|(name, _)| name.to_string()).collect();
    let registered: BTreeSet<String> = names.iter().cloned().collect();
    assert_eq!(registered.len(), names.len(), "a name stands twice");
    assert_eq!(files, registered);
}

/// Files of `lab/peers` that are no peer.
const NO_PEER: [&str; 2] = ["mod", "tests"];

#[test]
fn every_peer_file_is_in_the_list() {
    let dir = root().join("src/lab/peers");
    let files: BTreeSet<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .filter(|stem| !NO_PEER.contains(&stem.as_str()))
        .collect();
    let default = KNOWN.iter().filter(|peer| !peer.optional);
    let listed: BTreeSet<String> = default.map(|peer| peer.name.to_owned()).collect();
    assert_eq!(files, listed);
    let all = KNOWN.iter().map(|peer| peer.name);
    let names: BTreeSet<&str> = all
        .chain(self::all().iter().map(|(name, _)| *name))
        .collect();
    assert_eq!(
        names.len(),
        KNOWN.len() + self::all().len(),
        "a name stands twice"
    );
}

#[test]
fn every_scheme_of_ours_has_its_models() {
    let rows = fs::read_to_string(root().join("results/models.csv")).unwrap();
    for (name, holds) in ours() {
        for model in ["exclusion", "freshness"] {
            let row = rows.lines().map(|l| l.split(',').collect::<Vec<_>>());
            let verdict = if holds { "pass" } else { "fail" };
            let found = row
                .filter(|r| r[0] == name && r[1] == model)
                .any(|r| r.contains(&verdict));
            assert!(found, "no {verdict}ing {model} model of {name}");
        }
    }
}

#[test]
fn every_scheme_has_its_rows_in_the_report() {
    let report = fs::read_to_string(root().join("report.md")).unwrap();
    let claims = block(&report, "claims");
    let hold = block(&report, "hold");
    // A run from before a peer was there has no row of it.
    let run = newest(&root().join("results"), Kind::Compare);
    let run = run.unwrap().expect("a comparison").join("run.json");
    let run: serde_json::Value = serde_json::from_slice(&fs::read(run).unwrap()).unwrap();
    // The first runs do not say it.
    let format = run["format"].as_u64().unwrap_or(1);
    let there = |peer: &&Peer| !peer.optional && u64::from(peer.since) <= format;
    for peer in KNOWN.iter().filter(there) {
        let row = format!("| {}{} |", peer.name, peer.gives.suffix());
        let excused = peer.excuse(Workload::Hold).is_some();
        assert!(
            excused || hold.contains(&row),
            "no hold row of {}",
            peer.name
        );
    }
    for (name, _) in all() {
        assert!(
            hold.contains(&format!("| {name} |")),
            "no hold row of {name}"
        );
        assert!(
            claims.contains(&format!("| {name} |")),
            "no claims of {name}"
        );
    }
}

/// A generated block of the report.
fn block<'r>(report: &'r str, name: &str) -> &'r str {
    let begin = report
        .find(&format!("<!-- BEGIN {name}"))
        .expect("its begin");
    let end = report.find(&format!("<!-- END {name}")).expect("its end");
    &report[begin..end]
}

#[test]
fn every_scheme_is_benched() {
    // The benchmarks take their contenders from the registry; a list of names would drift from it.
    for file in rust_files(&root().join("benches")) {
        let code = code(&file);
        let peers = KNOWN.iter().map(|peer| peer.name);
        for name in peers.chain(all().iter().map(|(name, _)| *name)) {
            let listed = code.contains(&format!("\"{name}\"")) && name != "unprotected";
            assert!(!listed, "{} lists {name} by hand", file.display());
        }
    }
}
