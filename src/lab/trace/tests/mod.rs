//! Tests of traces: the parser, each rule on a trace made by hand, the recorded traces, files that
//! are no traces, and random damage.

mod files;
mod hostile;
mod interpreter;
mod lines;
mod memory;
mod real;
mod tasks;

use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

use super::{Script, Source, TraceError, load};

/// Two processes, each with one thread.
const A: (u32, u32) = (10, 10);
const B: (u32, u32) = (20, 20);

/// Loads bytes as a trace.
fn load_bytes(bytes: impl Into<Vec<u8>>) -> Result<Script, TraceError> {
    load(&Source::Embedded {
        name: "test",
        bytes: bytes.into().leak(),
    })
}

/// Loads a trace made by hand and checks the script by running it.
fn script(lines: &[String]) -> Script {
    let script = load_bytes(lines.concat()).expect("a trace");
    interpreter::check(&script);
    script
}

/// A line of thread `tid` of process `pid`, `us` microseconds after second 5.
fn line((pid, tid): (u32, u32), us: u32, text: &str) -> String {
    format!("            bash {pid}/{tid}     5.{us:06}: {text}\n")
}

fn exec(task: (u32, u32), us: u32) -> String {
    let (pid, tid) = task;
    line(
        task,
        us,
        &format!("PERF_RECORD_COMM exec: bash:{pid}/{tid}"),
    )
}

fn fault(task: (u32, u32), us: u32, page: u64) -> String {
    line(
        task,
        us,
        &format!("page-faults:     {:x}", page << 12 | 0x7b),
    )
}

fn fork(task: (u32, u32), us: u32, (pid, tid): (u32, u32)) -> String {
    let (ppid, ptid) = task;
    line(
        task,
        us,
        &format!("PERF_RECORD_FORK({pid}:{tid}):({ppid}:{ptid})"),
    )
}

fn exit(task: (u32, u32), us: u32) -> String {
    let (pid, tid) = task;
    line(task, us, &format!("PERF_RECORD_EXIT({pid}:{tid}):(1:1)"))
}

/// A mapping of `pages` pages from `page`; `object` is what perf prints after the `@`, up to `]`.
fn map(task: (u32, u32), us: u32, (page, pages): (u64, u64), object: &str, tail: &str) -> String {
    let (pid, tid) = task;
    let (start, len) = (page << 12, pages << 12);
    let text = format!("PERF_RECORD_MMAP2 {pid}/{tid}: [{start:#x}({len:#x}) @ {object}]: {tail}");
    line(task, us, &text)
}

/// A mapping of anonymous memory.
fn anonymous(task: (u32, u32), us: u32, pages: (u64, u64), access: &str) -> String {
    map(task, us, pages, "0 00:00 0 0", &format!("{access} anon"))
}

/// A script of two pieces.
fn with(before: &[String], after: &[String]) -> Script {
    script(&[before, after].concat())
}

/// Process A with three writable pages, written.
fn parent() -> Vec<String> {
    let mut lines = vec![exec(A, 1), anonymous(A, 2, (0x100, 3), "rw-p")];
    lines.extend((0..3).map(|n| fault(A, 3 + n, 0x100 + u64::from(n))));
    lines
}
