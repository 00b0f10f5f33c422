//! Where the results come from: one line an answer, or `unknown`. No path and no name of the machine.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

const UNKNOWN: &str = "unknown";

/// The first line that a command prints, if it succeeds.
fn ask(results: &Path, program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(results)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let first = text.lines().next().unwrap_or("").trim();
    output.status.success().then(|| first.to_owned())
}

fn or_unknown(answer: Option<String>) -> String {
    answer.unwrap_or_else(|| UNKNOWN.to_owned())
}

/// Everything that may change a row, by name. The commit is that of the repository where the results are,
/// and is dirty if anything but them has changed.
pub(in crate::conformance) fn provenance(results: &Path) -> Vec<(&'static str, String)> {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease");
    let changes = ["status", "--porcelain", "--", ":(top)", ":(exclude)."];
    let dirty = ask(results, "git", &changes).map(|first| (!first.is_empty()).to_string());
    let cpus = std::thread::available_parallelism().map(|n| n.to_string());
    vec![
        (
            "commit",
            or_unknown(ask(results, "git", &["rev-parse", "HEAD"])),
        ),
        ("dirty", or_unknown(dirty)),
        ("rustc", or_unknown(ask(results, "rustc", &["-V"]))),
        ("debug", cfg!(debug_assertions).to_string()),
        (
            "kernel",
            or_unknown(kernel.ok().map(|k| format!("Linux {}", k.trim()))),
        ),
        ("cpu", or_unknown(cpu())),
        ("cores", or_unknown(cpus.ok())),
    ]
}

/// CPU model, and whether it is a virtual machine's.
fn cpu() -> Option<String> {
    let info = fs::read_to_string("/proc/cpuinfo").ok()?;
    let field = |name: &str| {
        let line = info.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let machine = field("flags")?
        .split_whitespace()
        .any(|f| f == "hypervisor");
    let machine = if machine { ", virtual machine" } else { "" };
    Some(field("model name")? + machine)
}
