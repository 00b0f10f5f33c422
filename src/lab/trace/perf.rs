//! One line of `perf script` output, parsed.
//!
//! Invariant: a line never fails. What is not understood is `None` or [`Kind::Other`], and every
//! number that does not fit is not understood.
//!
//! A line begins with `comm pid/tid [cpu] seconds.fraction:`. A command's name may hold anything,
//! blanks, colons and digits included, so the line is not split from the left: each colon that
//! follows a time that follows a process number is tried, and the first that is followed by a
//! record this module knows wins.

mod record;

pub use record::{Access, Kind, Object, Record};

/// Bytes of a line in which its beginning must be found: names are at most 15 bytes.
const HEADER: usize = 256;

/// Parses one line, without its end. `None`: it does not begin as perf's lines do.
///
/// Costs a few comparisons a byte of the line's beginning, and no allocation.
///
/// # Examples
///
/// ```
/// use ptom::lab::trace::perf::{Kind, parse};
///
/// let line = "  opt cgu.0 71/75  3938.512701: page-faults:     7f6eb9d6b018";
/// let record = parse(line).ok_or("no record")?;
/// assert_eq!((record.pid, record.tid), (71, 75));
/// assert_eq!(record.kind, Kind::Fault { addr: 0x7f6e_b9d6_b018 });
/// # Ok::<(), &str>(())
/// ```
pub fn parse(line: &str) -> Option<Record<'_>> {
    let mut other = None;
    let bytes = line.as_bytes();
    for colon in (0..bytes.len().min(HEADER)).filter(|&at| bytes[at] == b':') {
        let (Some(before), Some(after)) = (line.get(..colon), line.get(colon + 1..)) else {
            continue;
        };
        let Some((pid, tid, time_ns)) = header(before) else {
            continue;
        };
        let kind = event(after);
        let record = Record {
            pid,
            tid,
            time_ns,
            kind,
        };
        if kind != Kind::Other {
            return Some(task_of(record, after));
        }
        other.get_or_insert(record);
    }
    other
}

/// `comm pid/tid [cpu] seconds.fraction`, of which the name is not needed.
fn header(before: &str) -> Option<(u32, u32, u64)> {
    let (rest, time) = last_word(before)?;
    let time_ns = nanoseconds(time)?;
    let mut rest = rest;
    loop {
        let (left, word) = last_word(rest)?;
        if let Some((pid, tid)) = task(word) {
            return Some((pid, tid, time_ns));
        }
        // Between the two perf can print the processor and a few letters about the sample.
        let processor = word.starts_with('[') && word.ends_with(']');
        let letters = word.len() <= 4 && word.bytes().all(|b| b.is_ascii_uppercase());
        if !processor && !letters {
            return None;
        }
        rest = left;
    }
}

/// The last word of a text, and what is before it.
fn last_word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_end();
    let start = text.rfind(char::is_whitespace).map_or(0, |blank| {
        blank + text[blank..].chars().next().map_or(1, char::len_utf8)
    });
    (start < text.len()).then(|| text.split_at(start))
}

/// `pid/tid`, or one number for both.
fn task(word: &str) -> Option<(u32, u32)> {
    match word.split_once('/') {
        Some((pid, tid)) => Some((pid.parse().ok()?, tid.parse().ok()?)),
        None => word.parse().ok().map(|tid| (tid, tid)),
    }
}

/// `seconds.fraction`, with up to nine decimals.
fn nanoseconds(word: &str) -> Option<u64> {
    let (seconds, fraction) = word.split_once('.')?;
    let digits = u32::try_from(fraction.len()).ok()?;
    if !(1..=9).contains(&digits) || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction: u64 = fraction.parse().ok()?;
    let seconds: u64 = seconds.parse().ok()?;
    seconds
        .checked_mul(1_000_000_000)?
        .checked_add(fraction * 10_u64.pow(9 - digits))
}

/// What follows the time: a record's name or an event's, perhaps after a count.
fn event(after: &str) -> Kind<'_> {
    let text = after.trim_start();
    if let Some(record) = text.strip_prefix("PERF_RECORD_") {
        return task_record(record).unwrap_or(Kind::Other);
    }
    let mut words = text.split_whitespace().peekable();
    words.next_if(|word| word.bytes().all(|b| b.is_ascii_digit()));
    let Some(name) = words.next().filter(|word| word.ends_with(':')) else {
        return Kind::Other;
    };
    // The name may carry modifiers: `page-faults:u:`.
    match name.split(':').next() {
        Some("page-faults" | "faults" | "minor-faults" | "major-faults") => {}
        _ => return Kind::Other,
    }
    words
        .next()
        .and_then(hexadecimal)
        .map_or(Kind::FaultWithoutAddress, |addr| Kind::Fault { addr })
}

/// What follows `PERF_RECORD_`.
fn task_record(text: &str) -> Option<Kind<'_>> {
    if let Some(text) = text.strip_prefix("COMM") {
        let (exec, text) = match text.strip_prefix(" exec:") {
            Some(text) => (true, text),
            None => (false, text.strip_prefix(':')?),
        };
        let (name, numbers) = text.trim_start().rsplit_once(':')?;
        task(numbers.trim_end())?;
        Some(Kind::Comm { exec, name })
    } else if let Some(text) = text.strip_prefix("MMAP2 ") {
        mapping(text)
    } else if let Some(text) = text.strip_prefix("FORK") {
        let (new, by) = text.trim().split_once("):(")?;
        let (pid, tid) = numbers(new.strip_prefix('(')?)?;
        let (ppid, ptid) = numbers(by.strip_suffix(')')?)?;
        Some(Kind::Fork {
            pid,
            tid,
            ppid,
            ptid,
        })
    } else {
        let text = text.strip_prefix("EXIT(")?;
        let (pid, tid) = numbers(text.split_once(')')?.0)?;
        Some(Kind::Exit { pid, tid })
    }
}

/// `pid:tid`.
fn numbers(text: &str) -> Option<(u32, u32)> {
    let (pid, tid) = text.split_once(':')?;
    Some((pid.parse().ok()?, tid.parse().ok()?))
}

/// `pid/tid: [0xstart(0xlen) @ 0xpgoff major:minor inode generation]: rw-p name`.
fn mapping(text: &str) -> Option<Kind<'_>> {
    let (numbers, text) = text.split_once(": [")?;
    task(numbers)?;
    let (place, text) = text.split_once("]: ")?;
    let (range, object) = place.split_once(" @ ")?;
    let (start, len) = range.strip_suffix(')')?.split_once('(')?;
    let mut object = object.split_whitespace();
    let pgoff = hexadecimal(object.next()?)?;
    let object = match object.next()? {
        id if id.starts_with('<') => Object::BuildId(id),
        device => {
            let (major, minor) = device.split_once(':')?;
            Object::Inode {
                major: u32::from_str_radix(major, 16).ok()?,
                minor: u32::from_str_radix(minor, 16).ok()?,
                inode: object.next()?.parse().ok()?,
            }
        }
    };
    let (access, name) = text.split_once(' ').unwrap_or((text, ""));
    Some(Kind::Mmap2 {
        start: hexadecimal(start)?,
        len: hexadecimal(len)?,
        pgoff,
        object,
        access: self::access(access)?,
        name: name.trim_end(),
    })
}

/// `rw-p`: read, write, execute, private or shared.
fn access(text: &str) -> Option<Access> {
    let &[r, w, x, p] = text.as_bytes() else {
        return None;
    };
    let known = matches!(r, b'r' | b'-')
        && matches!(w, b'w' | b'-')
        && matches!(x, b'x' | b'-')
        && matches!(p, b'p' | b's');
    known.then_some(Access {
        read: r == b'r',
        write: w == b'w',
        execute: x == b'x',
        private: p == b'p',
    })
}

/// A hexadecimal number, with `0x` or without.
fn hexadecimal(word: &str) -> Option<u64> {
    u64::from_str_radix(word.strip_prefix("0x").unwrap_or(word), 16).ok()
}

/// The record with the task that its text names, which is surer than the line's beginning.
fn task_of<'a>(record: Record<'a>, after: &str) -> Record<'a> {
    let named = match record.kind {
        Kind::Comm { .. } => after
            .rsplit_once(':')
            .map(|(_, numbers)| numbers.trim_end()),
        Kind::Mmap2 { .. } => after
            .split_once("MMAP2 ")
            .and_then(|(_, text)| text.split_once(": ["))
            .map(|(numbers, _)| numbers),
        _ => None,
    };
    match (named.and_then(task), record.kind) {
        (Some((pid, tid)), _) | (None, Kind::Exit { pid, tid }) => Record { pid, tid, ..record },
        (None, Kind::Fork { ppid, ptid, .. }) => Record {
            pid: ppid,
            tid: ptid,
            ..record
        },
        _ => record,
    }
}
