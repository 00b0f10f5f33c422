//! The read side of every scheme, one at a time and in depth: `cargo bench`, or
//! `cargo bench -- hold/percpu_asym`.
//!
//! The same loops as `ptom compare` runs, over a table in the L1 cache, one thread. The tables of the
//! report come from `ptom compare`, whose batches are interleaved; this is for looking closer.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ptom::lab::measure::contender::{Contender, Selection, on_table};
use ptom::lab::measure::workload::ON_A_TABLE;
use std::hint::black_box;
use std::time::Duration;

/// Operations of an iteration: long enough that its call costs nothing.
const OPS: u64 = 1_000;

fn read_side(criterion: &mut Criterion) {
    for workload in ON_A_TABLE {
        let mut group = criterion.benchmark_group(workload.name());
        group
            .throughput(Throughput::Elements(OPS))
            .warm_up_time(Duration::from_millis(200))
            .measurement_time(Duration::from_secs(1))
            .sample_size(30);
        for contender in on_table(workload, 1, &Selection::all()).runners {
            let contender: &dyn Contender = contender.as_ref();
            let Ok(mut worker) = contender.worker() else {
                eprintln!("{}: no room for a reader", contender.name());
                continue;
            };
            // Nobody suspends while it is timed, but the compiler must not know.
            worker.suspend(&mut || {});
            group.bench_function(contender.name(), |bencher| {
                bencher.iter(|| worker.batch(black_box(OPS)));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, read_side);
criterion_main!(benches);
