//! The read side of every scheme, one at a time and in depth: `cargo bench`, or
//! `cargo bench -- hold/percpu_asym`.
//!
//! The same loops as `ptom compare` runs, one thread: on a table in the L1 cache and through
//! `pmap_extract` and `pmap_enter`, nested and not. The tables of the report come from
//! `ptom compare`, whose batches are interleaved; this is for looking closer. So each
//! sample has the unprotected operation between its batches, the ratio is kept beside the estimates,
//! and one that is not to be trusted says so; `ptom agree` tells whether both methods rank alike.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use ptom::backend::Native;
use ptom::lab::agreement::is_benched;
use ptom::lab::measure::beside::{Beside, Ratio, Stamp};
use ptom::lab::measure::contender::{BASELINE, Selection};
use ptom::lab::measure::on_machine::{BASE, PAGES, contenders};
use ptom::lab::measure::scripts::Scripts;
use ptom::lab::measure::workload::{GOLDEN, SHIFT};
use ptom::lab::sample::Workload;
use ptom::native::each_native;
use ptom::pmap::{Kernel, PageCache};
use ptom::scheme::{Scheme, Visit};
use ptom::xen::{Config, Machine, Mmu, Va};
use std::hint::black_box;
use std::path::PathBuf;
use std::time::Duration;

/// Operations of an iteration: long enough that its call costs nothing.
const OPS: u64 = 1_000;

fn group<'c>(criterion: &'c mut Criterion, name: &str) -> BenchmarkGroup<'c, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group
        .throughput(Throughput::Elements(OPS))
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .sample_size(30);
    group
}

/// Leaves a ratio where criterion left its estimates, and says so if it is not to be trusted.
fn keep(ratio: Option<Ratio>, made: &Stamp, group: &str, name: &str) {
    // A benchmark that a filter left out has none.
    let Some(ratio) = ratio else { return };
    if let Some(doubt) = ratio.doubt() {
        eprintln!("{group}/{name} is not to be trusted: {doubt}");
    }
    let home = std::env::var_os("CRITERION_HOME").map(PathBuf::from);
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
    let home = home.unwrap_or_else(|| target.join("criterion"));
    let folder = home.join(group).join(name).join("new");
    if let Err(error) = ratio.write(&folder, made) {
        eprintln!("{}: {error}", folder.display());
    }
}

fn read_side(criterion: &mut Criterion) {
    let scripts = match Scripts::load() {
        Ok(scripts) => scripts,
        Err(error) => return eprintln!("{error}"),
    };
    let made = Stamp::of_this_program();
    for workload in Workload::ALL.into_iter().filter(|w| is_benched(*w)) {
        let mut group = group(criterion, workload.name());
        let field = contenders(workload, 1, &Selection::all(), &scripts);
        let Some(Ok(mut raw)) = field.baseline.as_ref().map(|raw| raw.worker()) else {
            return eprintln!("{}: there is no {BASELINE}", workload.name());
        };
        for contender in &field.runners {
            let Ok(mut worker) = contender.worker() else {
                eprintln!("{}: no room for a reader", contender.name());
                continue;
            };
            // Nobody suspends while it is timed, but the compiler must not know.
            worker.suspend(&mut || {});
            let mut beside = Beside::new(&mut *raw, &mut *worker, OPS);
            group.bench_function(contender.name(), |bencher| {
                bencher.iter_custom(|iterations| beside.sample(iterations));
            });
            keep(beside.ratio(), &made, workload.name(), contender.name());
        }
        group.finish();
    }
}

/// `pmap_extract` within a hold that is already there, as a pmap function that calls another.
fn nested_extract(criterion: &mut Criterion) {
    struct Nested<'c>(BenchmarkGroup<'c, WallTime>);
    impl Visit<Native> for Nested<'_> {
        fn visit<S: Scheme<Native>>(&mut self) {
            if S::CLAIMS.nests
                && let Err(error) = nested::<S>(&mut self.0)
            {
                eprintln!("{}: {error}", S::NAME);
            }
        }
    }
    each_native(&mut Nested(group(criterion, "pmap_extract_nested")));
}

fn nested<S: Scheme<Native>>(
    group: &mut BenchmarkGroup<'_, WallTime>,
) -> Result<(), Box<dyn std::error::Error>> {
    let machine = Machine::<Native, S>::new(Config::new(PAGES + 256, 2))?;
    // Nobody suspends while it is timed, but the compiler must not know. First, since a scheme with
    // quiescent points would wait for a reader that is there and says nothing.
    drop(machine.vcpu()?.suspend());
    let vcpu = machine.vcpu()?;
    let kernel = Kernel::boot(&vcpu, 1)?;
    let mut cache = PageCache::default();
    let pmap = kernel.create(&vcpu, &mut cache)?;
    for page in 0..PAGES {
        let pfn = kernel.take_page(&mut cache)?;
        kernel.enter(&vcpu, &mut cache, pmap, Va::of_page(BASE + page), pfn, true)?;
    }
    group.bench_function(S::NAME, |bencher| {
        bencher.iter(|| {
            let _outer = vcpu.hold();
            (0..black_box(OPS)).fold(0, |sum: u64, n| {
                let page = n.wrapping_mul(GOLDEN) >> SHIFT;
                let found = kernel.extract(&vcpu, pmap, Va::of_page(BASE + page));
                sum.wrapping_add(found.map_or(0, |pfn| pfn.0))
            })
        });
    });
    Ok(())
}

criterion_group!(benches, read_side, nested_extract);
criterion_main!(benches);
