//! Where results come from: each question is answered with one line, or `unknown`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::UNIX_EPOCH;

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

/// When this program was built, seconds since 1970; 0 if that cannot be known.
pub fn built() -> u64 {
    let program = std::env::current_exe().and_then(fs::metadata);
    let time = program.and_then(|about| about.modified()).ok();
    let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_secs())
}

/// Operating system and release.
pub fn kernel() -> String {
    let read = |name: &str| fs::read_to_string(format!("/proc/sys/kernel/{name}")).ok();
    match (read("ostype"), read("osrelease")) {
        (Some(system), Some(release)) => format!("{} {}", system.trim(), release.trim()),
        _ => String::from(UNKNOWN),
    }
}

/// What stands where nothing could be found out, as a text of its own.
pub fn unknown() -> String {
    String::from(UNKNOWN)
}

/// What the kernel says about the CPUs.
fn cpu_info() -> String {
    fs::read_to_string("/proc/cpuinfo").unwrap_or_default()
}

/// The first CPU's field of that name.
fn field<'i>(info: &'i str, name: &str) -> Option<&'i str> {
    info.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        (found.trim_end() == name).then(|| value.trim())
    })
}

/// CPU model, and whether it is a virtual machine's.
pub fn cpu() -> String {
    let info = cpu_info();
    let Some(model) = field(&info, "model name") else {
        return format!("{UNKNOWN} ({})", std::env::consts::ARCH);
    };
    let virtual_machine = field(&info, "flags")
        .is_some_and(|flags| flags.split_whitespace().any(|flag| flag == "hypervisor"));
    match virtual_machine {
        true => format!("{model}, virtual machine"),
        false => model.to_owned(),
    }
}

/// What tells a CPU from others of that name, which a virtual machine may shorten: its maker, family, model and
/// stepping.
pub fn cpu_id() -> String {
    id_in(&cpu_info()).unwrap_or_else(unknown)
}

fn id_in(info: &str) -> Option<String> {
    let [maker, family, model, stepping] =
        ["vendor_id", "cpu family", "model", "stepping"].map(|name| field(info, name));
    Some(format!(
        "{} family {} model {} stepping {}",
        maker?, family?, model?, stepping?
    ))
}

/// The clock of the first CPU now, MHz; `None` where the kernel does not say.
pub fn clock_mhz() -> Option<u32> {
    let clock: f64 = field(&cpu_info(), "cpu MHz")?.parse().ok()?;
    Some(clock.round() as u32)
}

/// CPUs that the process may use.
pub fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().try_into().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpus_of_one_name_are_told_apart() {
        let info = |model| {
            format!(
                "vendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: {model}\nmodel name\t: AMD EPYC\nstepping\t: 1\n"
            )
        };
        let [one, other] = [17, 1].map(|model| id_in(&info(model)).unwrap());
        assert_eq!(one, "AuthenticAMD family 25 model 17 stepping 1");
        assert_ne!(one, other);
        assert_eq!(field(&info(17), "model name"), Some("AMD EPYC"));
        assert_eq!(id_in("model name\t: AMD EPYC\n"), None);
    }

    #[test]
    fn outside_a_repository_the_commit_is_unknown() {
        assert_eq!(commit(None), (String::from(UNKNOWN), None));
        assert_eq!(repository(Path::new("/")), None);
    }
}
