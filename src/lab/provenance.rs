//! How a run came about: everything that may change its figures, as `run.json` keeps it.
//!
//! Invariant: what could not be found out is `"unknown"`, never left out or guessed; no path of
//! the machine and no name of it is recorded.

use crate::platform::origin;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A full comparison: `report.md` is made of the newest one.
    Compare,
    /// A short look, whose intervals are wide, or a choice of schemes, workloads or threads.
    Quick,
}

impl Kind {
    /// The end of the folder's name.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Compare => "compare",
            Kind::Quick => "quick",
        }
    }
}

/// What only the caller knows about a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setup {
    /// Whether each thread is pinned to a CPU.
    pub pinned: bool,
    /// Whether light fences rest on membarrier(2); otherwise they are full fences.
    pub membarrier: bool,
    /// Seeds of everything random.
    pub seeds: Vec<u64>,
    /// Batch length, rounds and so on, each with its unit.
    pub parameters: BTreeMap<String, String>,
    /// Schemes the run is restricted to; empty: all.
    pub only: Vec<String>,
}

/// How a run came about: `run.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// What the run is for.
    pub kind: Kind,
    /// When it began: UTC, RFC 3339, to the second.
    pub started: String,
    /// The crate's version.
    pub version: String,
    /// The commit checked out where it ran; `unknown` outside the crate's own repository.
    pub commit: String,
    /// Whether sources differed from that commit (results and the report do not count); absent
    /// when the commit is unknown.
    pub dirty: Option<bool>,
    /// What `rustc -V` said when it ran.
    pub rustc: String,
    /// Whether the program was built with debug assertions: such figures mean little.
    pub debug: bool,
    /// Operating system and release.
    pub kernel: String,
    /// CPU model.
    pub cpu: String,
    /// Its maker, family, model and stepping, which tell it from others of that name.
    #[serde(default = "origin::unknown")]
    pub cpu_id: String,
    /// The clock of its first CPU when the run began, MHz, as the kernel says.
    #[serde(default)]
    pub clock_mhz: Option<u32>,
    /// CPUs that the process may use.
    pub cores: u32,
    /// Whether each thread was pinned to a CPU.
    pub pinned: bool,
    /// Whether light fences rested on membarrier(2).
    pub membarrier: bool,
    /// Seeds of everything random.
    pub seeds: Vec<u64>,
    /// The command line, paths relative to the repository.
    pub command: String,
    /// Batch length, rounds and so on, each with its unit.
    pub parameters: BTreeMap<String, String>,
    /// Schemes it was restricted to; empty: all.
    pub only: Vec<String>,
    /// Which workloads and columns a whole run has; see `results/README.md`.
    #[serde(default = "first_format")]
    pub format: u32,
    /// Why its figures are not to be trusted, one line a table; empty: no reason was found.
    #[serde(default)]
    pub distrust: Vec<String>,
    /// What it said while it ran: more threads than CPUs, batches that had to be repeated.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The share of all CPUs' time that the hypervisor gave to other guests, as the kernel counts it; absent where
    /// it does not.
    #[serde(default)]
    pub stolen: Option<f64>,
}

/// What a run has that does not say.
const fn first_format() -> u32 {
    1
}

/// What a run has now.
const FORMAT: u32 = 3;

impl Provenance {
    /// Asks the clock, git, rustc and the kernel. Takes milliseconds: call it before measuring.
    ///
    /// Call it before pinning the calling thread, which would hide the other CPUs.
    pub fn gather(kind: Kind, setup: Setup) -> Self {
        let here = std::env::current_dir().unwrap_or_default();
        let repository = ours(&here);
        let (commit, dirty) = origin::commit(repository.as_deref());
        let root = repository.unwrap_or(here);
        Self {
            kind,
            started: now(),
            version: String::from(env!("CARGO_PKG_VERSION")),
            commit,
            dirty,
            rustc: origin::rustc(),
            debug: cfg!(debug_assertions),
            kernel: origin::kernel(),
            cpu: origin::cpu(),
            cpu_id: origin::cpu_id(),
            clock_mhz: origin::clock_mhz(),
            cores: origin::cores(),
            pinned: setup.pinned,
            membarrier: setup.membarrier,
            seeds: setup.seeds,
            command: command(
                std::env::args_os().map(|a| a.to_string_lossy().into_owned()),
                &root,
            ),
            parameters: setup.parameters,
            only: setup.only,
            format: FORMAT,
            distrust: Vec::new(),
            notes: Vec::new(),
            stolen: None,
        }
    }

    /// The name of the run's folder: `20261124T131908Z-compare`.
    pub fn run_name(&self) -> String {
        let time = self.started.replace(['-', ':'], "");
        format!("{time}-{}", self.kind.name())
    }

    /// The commit as a reader wants it: short, and with a word on what it leaves open.
    pub fn commit_shown(&self) -> String {
        let short = self.commit.get(..12).unwrap_or(&self.commit);
        match self.dirty {
            Some(true) => format!("{short}, with uncommitted changes"),
            _ => short.to_owned(),
        }
    }
}

/// Now, UTC, to the second.
fn now() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}

/// The root of this crate's repository, if `here` is in it. Any other repository says nothing
/// about what is measured.
fn ours(here: &Path) -> Option<PathBuf> {
    let root = origin::repository(here)?;
    let manifest = fs::read_to_string(root.join("Cargo.toml")).ok()?;
    let ours = concat!("name = \"", env!("CARGO_PKG_NAME"), "\"");
    manifest.lines().any(|line| line == ours).then_some(root)
}

/// The command line, so that it can be repeated: the program by its name, absolute paths relative
/// to `root` or, outside it, by their last part alone.
fn command(args: impl Iterator<Item = String>, root: &Path) -> String {
    let mut words = vec![String::from("ptom")];
    for argument in args.skip(1) {
        let word = match argument.split_once('=') {
            Some((option, value)) => format!("{option}={}", relative(value, root)),
            None => relative(&argument, root),
        };
        if word.contains(char::is_whitespace) {
            words.push(format!("'{word}'"));
        } else {
            words.push(word);
        }
    }
    words.join(" ")
}

fn relative(word: &str, root: &Path) -> String {
    let path = Path::new(word);
    if !path.is_absolute() {
        return word.to_owned();
    }
    match (path.strip_prefix(root), path.file_name()) {
        (Ok(inside), _) if inside.as_os_str().is_empty() => String::from("."),
        (Ok(inside), _) => inside.display().to_string(),
        (Err(_), Some(name)) => name.to_string_lossy().into_owned(),
        (Err(_), None) => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_no_path_of_the_machine() {
        let args = [
            "/a/b/target/ptom",
            "compare",
            "--trace=/a/b/traces/x.xz",
            "/home/me/y z",
            "-q",
        ];
        let shown = command(args.iter().map(|a| (*a).to_owned()), Path::new("/a/b"));
        assert_eq!(shown, "ptom compare --trace=traces/x.xz 'y z' -q");
    }

    #[test]
    fn gathered_provenance_survives_json_and_names_a_folder() {
        let setup = Setup {
            seeds: vec![7],
            ..Setup::default()
        };
        let gathered = Provenance::gather(Kind::Quick, setup);
        let json = serde_json::to_string(&gathered).unwrap();
        assert_eq!(serde_json::from_str::<Provenance>(&json).unwrap(), gathered);
        let name = gathered.run_name();
        assert_eq!(name.len(), "20261124T131908Z-quick".len(), "{name}");
        assert!(name.ends_with("Z-quick"));
        assert!(gathered.cores >= 1);
    }
}
