//! Runs the whole suspend protocol in random schedules, one row for each scheme, machine and
//! scheduler, as CSV on stdout; fails if one of them surprises.
//!
//! | to | run |
//! |---|---|
//! | see all | `schedules [--schedules N] [--seed S]` |
//! | see one scheme | `schedules [--schedules N] [--seed S] SCHEME` |
//! | rewrite `results/schedules.csv` | `schedules --write [--schedules N] [--seed S]` |
//! | run a printed schedule again | `schedules --replay TEXT [--world WORLD] SCHEME` |
//! | see who waits for how many steps | `schedules --progress [--seeds N] [--seed S] [SCHEME]` |
//! | rewrite `results/progress.csv` | `schedules --progress --write` |
//!
//! Rates, and the schedules that failed, go to stderr.

use ptom::conformance::random::progress::{self, Measure};
use ptom::conformance::random::{Job, Jobs, Picks, Plan, World, table};
use ptom::scheme::Ours;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

const USAGE: &str = "usage: schedules [--schedules N] [--seed S] [--write] [SCHEME], or \
    schedules --progress [--seeds N] [--seed S] [--write] [SCHEME], or \
    schedules --replay TEXT [--world WORLD] SCHEME";

/// Who chooses, in turn.
const PICKS: [Picks; 2] = [Picks::Random, Picks::Pct { depth: 4 }];

/// What the command line asked for.
struct Asked {
    schedules: usize,
    seed: u64,
    seeds: u64,
    write: bool,
    progress: bool,
    replay: Option<String>,
    world: String,
    scheme: Option<String>,
}

fn main() -> ExitCode {
    // A failing schedule is a row, not a backtrace.
    std::panic::set_hook(Box::new(|_| {}));
    match parse(std::env::args().skip(1)).and_then(|asked| run(&asked)) {
        Ok(code) => code,
        Err(message) => {
            eprintln!("schedules: {message}");
            ExitCode::from(2)
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked = Asked {
        schedules: 1000,
        seed: 1,
        seeds: 200,
        write: false,
        progress: false,
        replay: None,
        world: "membarrier".to_owned(),
        scheme: None,
    };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--schedules" => asked.schedules = number(&argument, &value()?)?,
            "--seed" => asked.seed = number(&argument, &value()?)?,
            "--seeds" => asked.seeds = number(&argument, &value()?)?,
            "--progress" => asked.progress = true,
            "--replay" => asked.replay = Some(value()?),
            "--world" => asked.world = value()?,
            "--write" => asked.write = true,
            option if option.starts_with('-') => {
                return Err(format!("no option {option}; {USAGE}"));
            }
            _ if asked.scheme.is_some() => return Err(USAGE.to_owned()),
            _ => asked.scheme = Some(argument),
        }
    }
    match asked.write && (asked.scheme.is_some() || asked.replay.is_some()) {
        true => Err(USAGE.to_owned()),
        false => Ok(asked),
    }
}

fn number<N: std::str::FromStr>(option: &str, text: &str) -> Result<N, String> {
    let wrong = |_| format!("{option} wants a number, not {text}");
    text.parse().map_err(wrong)
}

fn run(asked: &Asked) -> Result<ExitCode, String> {
    let mut jobs = Jobs::of::<Ours>().0;
    if let Some(scheme) = &asked.scheme {
        jobs.retain(|job| job.scheme == scheme);
        if jobs.is_empty() {
            return Err(format!("no scheme {scheme}"));
        }
    }
    match &asked.replay {
        Some(text) => replay(asked, &jobs, text),
        None if asked.progress => measure(asked),
        None => check(asked, &jobs),
    }
}

fn measure(asked: &Asked) -> Result<ExitCode, String> {
    let mut rows = Measure::of::<Ours>(asked.seed, asked.seeds).rows;
    if let Some(scheme) = &asked.scheme {
        rows.retain(|row| row.scheme == scheme);
    }
    let lines: Vec<_> = rows.iter().map(progress::row).collect();
    let text = table(&progress::HEADER, &lines)?;
    if asked.write {
        write("progress.csv", &text)?;
    }
    let surprises = rows.iter().filter(|row| !row.is_expected()).count();
    match put(&text) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(e.to_string()),
        _ => Ok(ExitCode::from(u8::from(surprises > 0))),
    }
}

/// A table as CSV.
fn table(header: &[&str], rows: &[Vec<String>]) -> Result<String, String> {
    let rows = rows.iter().map(|row| table::line(row));
    let text: io::Result<String> = std::iter::once(table::line(header)).chain(rows).collect();
    text.map_err(|e| e.to_string())
}

fn write(name: &str, text: &str) -> Result<(), String> {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results");
    std::fs::write(results.join(name), text).map_err(|e| format!("results/{name}: {e}"))
}

fn replay(asked: &Asked, jobs: &[Job], text: &str) -> Result<ExitCode, String> {
    if asked.scheme.is_none() {
        return Err(USAGE.to_owned());
    }
    let job = jobs.iter().find(|job| job.fences == asked.world);
    let job = job.ok_or_else(|| format!("no world {}", asked.world))?;
    let found = (job.replay)(World::USUAL, text).map_err(|e| e.to_string())?;
    let text = found.map_or("nothing".to_owned(), |failure| failure.to_string());
    put(&format!("{text}\n")).map_err(|e| e.to_string())?;
    Ok(ExitCode::SUCCESS)
}

/// Rows in the order of the jobs, whatever order they are done in.
struct Rows {
    /// By job: its row, once it is done.
    done: Vec<Option<Vec<String>>>,
    printed: usize,
    surprises: usize,
}

fn check(asked: &Asked, jobs: &[Job]) -> Result<ExitCode, String> {
    let all = || jobs.iter().flat_map(|job| PICKS.map(|picks| (*job, picks)));
    let todo: Mutex<VecDeque<_>> = Mutex::new(all().enumerate().collect());
    let rows = Mutex::new(Rows {
        done: vec![None; all().count()],
        printed: 0,
        surprises: 0,
    });
    let work = || -> io::Result<()> {
        loop {
            let next = todo.lock().map_or(None, |mut todo| todo.pop_front());
            let Some((at, (job, picks))) = next else {
                return Ok(());
            };
            one(asked, at, job, picks, &rows)?;
        }
    };
    let header = table::line(&table::HEADER).map_err(|e| e.to_string())?;
    put(&header).map_err(|e| e.to_string())?;
    let workers = thread::available_parallelism().map_or(1, |n| n.get());
    let ended = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let mut ended = workers.into_iter().map(|w| w.join());
        ended.try_for_each(|e| e.unwrap_or_else(|_| Err(io::Error::other("a worker died"))))
    });
    match ended {
        // Whoever reads has seen enough.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
        ended => ended.map_err(|e| e.to_string())?,
    }
    let rows = rows.into_inner().map_err(|e| e.to_string())?;
    if asked.write {
        let done: Vec<_> = rows.done.into_iter().flatten().collect();
        write("schedules.csv", &table(&table::HEADER, &done)?)?;
    }
    Ok(ExitCode::from(u8::from(rows.surprises > 0)))
}

fn one(asked: &Asked, at: usize, job: Job, picks: Picks, rows: &Mutex<Rows>) -> io::Result<()> {
    let begun = Instant::now();
    let checked = (job.check)(&Plan {
        world: World::USUAL,
        picks,
        seed: asked.seed,
        schedules: asked.schedules,
    });
    let rate = checked.outcome.executions as f64 / begun.elapsed().as_secs_f64();
    let (scheme, world) = (checked.scheme, checked.fences);
    eprintln!("{scheme} {world} {picks}: {rate:.0} schedules/s");
    if let Some(schedule) = &checked.schedule {
        eprintln!("{scheme} {world} {picks}: --replay {schedule} --world {world} {scheme}");
    }
    let mut rows = rows.lock().map_err(|_| io::Error::other("a worker died"))?;
    rows.surprises += usize::from(!checked.is_expected());
    rows.done[at] = Some(table::row(&checked));
    while let Some(Some(row)) = rows.done.get(rows.printed) {
        put(&table::line(row)?)?;
        rows.printed += 1;
    }
    Ok(())
}

fn put(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
