//! Where results come from: each question is answered with one line, or `unknown`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What stands where nothing could be found out.
pub const UNKNOWN: &str = "unknown";

/// The first line that a command prints, if it succeeds.
fn ask(program: &str, args: &[&str], dir: &Path) -> Option<String> {
    let output = Command::new(program)
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    if !output.status.success() {
        return None;
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Some(text.lines().next().unwrap_or("").trim().to_owned())
}

/// The root of the repository that a folder is in, if it is in one.
pub fn repository(here: &Path) -> Option<PathBuf> {
    Some(PathBuf::from(ask(
        "git",
        &["rev-parse", "--show-toplevel"],
        here,
    )?))
}

/// A repository's commit, and whether anything that is built differs from it: all but the folder
/// `results` and `report.md`.
pub fn commit(repository: Option<&Path>) -> (String, Option<bool>) {
    let asked = repository.and_then(|root| {
        let commit = ask("git", &["rev-parse", "HEAD"], root)?;
        let sources = [
            "status",
            "--porcelain",
            "--",
            ".",
            ":(exclude)results",
            ":(exclude)report.md",
        ];
        let changes = ask("git", &sources, root)?;
        Some((commit, Some(!changes.is_empty())))
    });
    asked.unwrap_or((String::from(UNKNOWN), None))
}

/// The compiler that is installed, which with `cargo run` is the one that built the program.
pub fn rustc() -> String {
    ask("rustc", &["-V"], Path::new(".")).unwrap_or_else(|| String::from(UNKNOWN))
}

/// Operating system and release.
pub fn kernel() -> String {
    let read = |name: &str| fs::read_to_string(format!("/proc/sys/kernel/{name}")).ok();
    match (read("ostype"), read("osrelease")) {
        (Some(system), Some(release)) => format!("{} {}", system.trim(), release.trim()),
        _ => String::from(UNKNOWN),
    }
}

/// CPU model, and whether it is a virtual machine's.
pub fn cpu() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = info.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim())
    };
    let Some(model) = field("model name") else {
        return format!("{UNKNOWN} ({})", std::env::consts::ARCH);
    };
    let virtual_machine = field("flags")
        .is_some_and(|flags| flags.split_whitespace().any(|flag| flag == "hypervisor"));
    match virtual_machine {
        true => format!("{model}, virtual machine"),
        false => model.to_owned(),
    }
}

/// CPUs that the process may use.
pub fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().try_into().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_a_repository_the_commit_is_unknown() {
        assert_eq!(commit(None), (String::from(UNKNOWN), None));
        assert_eq!(repository(Path::new("/")), None);
    }
}
