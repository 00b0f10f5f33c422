//! Instructions an operation of every scheme, and a registration, counted by valgrind: exact, on any machine,
//! however busy.
//!
//! ```text
//! cargo bench --bench instructions                print the counts, as CSV
//! cargo bench --bench instructions -- record      and write results/{instructions,registration}.csv
//! cargo bench --bench instructions -- check       compare with them; fail if one takes more, or a hold nothing
//! ```
//!
//! It starts itself under valgrind, once for each scheme, workload and length. `check` first counts a
//! scheme with some instructions too many, and one without its hold, and fails unless both are noticed.

use clap::{Parser, Subcommand};
use ptom::backend::Native;
use ptom::lab::footprint::READERS;
use ptom::lab::instructions::registration::{self, Registration};
use ptom::lab::instructions::{CURE, Count, FILE, OPS, WORKLOADS, gate, tally};
use ptom::lab::measure::contender::{BASELINE, Selection, SiteWorker, Worker, on_table};
use ptom::lab::measure::count::Counted;
use ptom::lab::measure::p2m::P2m;
use ptom::lab::measure::site::TableSite;
use ptom::lab::measure::workload::GOLDEN;
use ptom::lab::sample::Workload;
use ptom::lab::summary::registered;
use ptom::platform::origin;
use ptom::scheme::percpu_asym::PerCpuAsym;
use ptom::scheme::{Claims, Scheme, Size};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The name of the scheme that is planted.
const PLANTED: &str = "planted";

/// Each [`Counted`] adds an instruction or two to each hold: more than the gate lets pass, together.
type Planted = Twice<Twice<Twice<PerCpuAsym<Native>>>>;
type Twice<S> = Counted<Counted<S>>;

#[derive(Parser)]
#[command(about = "Counts the instructions of an operation, by valgrind")]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// What cargo says to every benchmark.
    #[arg(long, hide = true, global = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Count, and write results/instructions.csv and results/registration.csv
    Record,
    /// Count, and compare with them
    Check,
    /// Do the operations that are counted
    #[command(hide = true)]
    Run {
        scheme: String,
        workload: String,
        ops: u64,
    },
    /// Register and let go, as is counted
    #[command(hide = true)]
    Register {
        scheme: String,
        readers: usize,
        ops: u64,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        None => print(),
        Some(Command::Record) => record(),
        Some(Command::Check) => check(),
        Some(Command::Run {
            scheme,
            workload,
            ops,
        }) => run(&scheme, &workload, ops),
        Some(Command::Register {
            scheme,
            readers,
            ops,
        }) => register(&scheme, readers, ops),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("instructions: {why}");
            ExitCode::FAILURE
        }
    }
}

type Done<T> = Result<T, Box<dyn Error>>;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("results")
        .join(name)
}

fn print() -> Done<()> {
    print!("{}", csv_of(&counts()?)?);
    print!("\n{}", csv_of(&registrations()?)?);
    Ok(())
}

fn record() -> Done<()> {
    fs::write(file(FILE), csv_of(&counts()?)?)?;
    fs::write(file(registration::FILE), csv_of(&registrations()?)?)?;
    Ok(())
}

fn register(scheme: &str, readers: usize, ops: u64) -> Done<()> {
    match registration::register(scheme, readers, ops)? {
        true => Ok(()),
        false => Err("there is no such scheme".into()),
    }
}

/// Every row of `registration.csv`, in the order of the registry.
fn registrations() -> Done<Vec<Registration>> {
    let program = std::env::current_exe()?;
    let mut rows = Vec::new();
    for scheme in registered() {
        for readers in READERS {
            rows.push(Registration::count(&program, scheme.name, readers)?);
        }
    }
    Ok(rows)
}

/// What valgrind looks at.
fn run(scheme: &str, workload: &str, ops: u64) -> Done<()> {
    let workload = WORKLOADS.into_iter().find(|w| w.name() == workload);
    let workload = workload.ok_or("there is no such workload")?;
    if scheme == PLANTED {
        let planted = <Planted as Scheme<Native>>::new(Size::readers(1));
        let table = P2m::cycle(GOLDEN);
        let site = TableSite::new(Scheme::<Native>::reader(&planted)?, &table);
        return operate(&mut SiteWorker::new(site, workload), ops);
    }
    let field = on_table(workload, 1, &Selection::only(vec![scheme.to_owned()]));
    let contender = field.runners.iter().find(|runner| runner.name() == scheme);
    operate(
        &mut *contender.ok_or("there is no such scheme")?.worker()?,
        ops,
    )
}

fn operate(worker: &mut dyn Worker, ops: u64) -> Done<()> {
    // Nobody suspends while it is counted, but the compiler must not know.
    worker.suspend(&mut || {});
    black_box(worker.batch(black_box(ops)));
    Ok(())
}

/// The row of one scheme in one workload.
fn count(scheme: &str, workload: Workload) -> Done<Count> {
    let program = std::env::current_exe()?;
    let instructions = tally::per_operation(&program, &["run", scheme, workload.name()], OPS)?;
    Ok(Count {
        scheme: scheme.to_owned(),
        workload,
        instructions,
        target: std::env::consts::ARCH.to_owned(),
        compiler: origin::rustc(),
    })
}

/// Every row, in the order of the registry, but of those whose count would be of something else.
fn counts() -> Done<Vec<Count>> {
    let schemes = registered();
    let uncounted = |name| {
        let mut schemes = schemes.iter();
        schemes.any(|scheme| scheme.name == name && scheme.uncounted.is_some())
    };
    let mut counts = Vec::new();
    for workload in WORKLOADS {
        let runners = on_table(workload, 1, &Selection::all()).runners;
        for runner in runners.iter().filter(|runner| !uncounted(runner.name())) {
            counts.push(count(runner.name(), workload)?);
        }
    }
    Ok(counts)
}

fn csv_of(rows: &[impl Serialize]) -> Done<String> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    for row in rows {
        csv.serialize(row)?;
    }
    Ok(String::from_utf8(csv.into_inner()?)?)
}

/// The rows of a file that was recorded.
fn recorded<R: DeserializeOwned>(name: &str) -> Done<Vec<R>> {
    let read = |error| format!("{} cannot be read ({error}): {CURE}", file(name).display());
    let mut csv = csv::Reader::from_path(file(name)).map_err(read)?;
    let rows = csv.deserialize().collect::<Result<Vec<R>, _>>();
    Ok(rows.map_err(read)?)
}

fn check() -> Done<()> {
    let holds = recorded(FILE)?;
    the_gate_shuts(&holds)?;
    let mut problems = problems(&holds, &counts()?);
    let registered = recorded(registration::FILE)?;
    problems.extend(gate::differences(&registered, &registrations()?));
    for problem in &problems {
        eprintln!("instructions: {problem}");
    }
    match problems.len() {
        0 => Ok(()),
        n => Err(format!("{n} counts are not what they must be; {CURE}, if that is meant").into()),
    }
}

fn problems(recorded: &[Count], counted: &[Count]) -> Vec<String> {
    let schemes = registered();
    // Where readers reach quiescent points a hold is nothing at all, and is to be.
    let works = |claims: &Claims| claims.holds && !claims.needs_quiescence;
    let holds = |name: &str| schemes.iter().any(|s| s.name == name && works(&s.claims));
    gate::problems(recorded, counted, holds)
}

/// Whether a hold with instructions too many is noticed, and one that does nothing.
fn the_gate_shuts(recorded: &[Count]) -> Done<()> {
    let name = <PerCpuAsym<Native> as ptom::scheme::Describe>::NAME;
    let raw = count(BASELINE, Workload::Hold)?;
    for (what, word) in [(PLANTED, "raised"), (BASELINE, "gone")] {
        let planted = Count {
            scheme: name.to_owned(),
            ..count(what, Workload::Hold)?
        };
        let found = problems(recorded, &[raw.clone(), planted]);
        let noticed = |line: &String| line.contains(name) && line.contains(word);
        if !found.iter().any(noticed) {
            return Err(format!("{what} in place of {name} was not noticed").into());
        }
    }
    Ok(())
}
