//! How many instructions a program executes, and from that how many an operation takes.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use thiserror::Error;

/// Why there is no count.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Uncounted {
    /// Valgrind cannot be started.
    #[error("valgrind cannot be started ({0}): install it, under that name in most distributions")]
    NoValgrind(#[source] std::io::Error),
    /// The program under it failed.
    #[error("{program} failed under valgrind: {said}")]
    Failed {
        /// Which program, and its arguments.
        program: String,
        /// The last line that it or valgrind said.
        said: String,
    },
    /// Valgrind did not say a number.
    #[error("valgrind did not say how many instructions {0} executed")]
    Silent(String),
}

/// Instructions an operation of `program`, which is told by its last argument how many to do: `ops`, and
/// twice as many. Both runs at once: they do not disturb each other's counts.
///
/// # Errors
/// If either run cannot be counted.
pub fn per_operation(program: &Path, arguments: &[&str], ops: u64) -> Result<f64, Uncounted> {
    let run = |ops: u64| Run::begin(program, arguments, &ops.to_string());
    let (short, long) = (run(ops)?, run(2 * ops)?);
    let (short, long) = (short.end(), long.end());
    let more = long?.saturating_sub(short?);
    Ok((more as f64 * 100.0 / ops as f64).round() / 100.0)
}

/// A program under way.
struct Run {
    child: Child,
    shown: String,
}

impl Run {
    fn begin(program: &Path, arguments: &[&str], ops: &str) -> Result<Self, Uncounted> {
        let name = program.file_name().unwrap_or(OsStr::new("the program"));
        let shown = format!("`{} {} {ops}`", name.display(), arguments.join(" "));
        let child = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(program)
            .args(arguments)
            .arg(ops)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(Uncounted::NoValgrind)?;
        Ok(Self { child, shown })
    }

    fn end(self) -> Result<u64, Uncounted> {
        let ended = self.child.wait_with_output();
        let ended = ended.map_err(Uncounted::NoValgrind)?;
        let said = String::from_utf8_lossy(&ended.stderr);
        if !ended.status.success() {
            let last = said.lines().rfind(|line| !line.trim().is_empty());
            return Err(Uncounted::Failed {
                program: self.shown,
                said: last.unwrap_or("nothing was said").to_owned(),
            });
        }
        collected(&said).ok_or(Uncounted::Silent(self.shown))
    }
}

/// The number in callgrind's line `==123== Collected : 456789`.
fn collected(said: &str) -> Option<u64> {
    let line = said.lines().find(|line| line.contains("Collected :"))?;
    line.split_whitespace().next_back()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_from_what_callgrind_says() {
        let said = "==7== Events    : Ir\n==7== Collected : 1234567\n==7== \n";
        assert_eq!(collected(said), Some(1_234_567));
        assert_eq!(collected("==7== Collected : many\n"), None);
        assert_eq!(collected("no such line\n"), None);
    }
}
