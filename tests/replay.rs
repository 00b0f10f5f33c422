//! Replays: sound schemes end clean, the control is caught every time.

use ptom::backend::Native;
use ptom::lab::replay::{End, Moved, Plan, Replayed, run, run_migrating, undisturbed};
use ptom::lab::trace::{Script, Source, load};
use ptom::native::each_native;
use ptom::scheme::percpu::PerCpu;
use ptom::scheme::qsbr::Qsbr;
use ptom::scheme::{Scheme, Visit};
use std::ffi::OsStr;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

const INJECT: u64 = 24;

struct All<'s> {
    script: &'s Script,
    vcpus: usize,
    rows: Vec<(bool, Replayed)>,
}

impl Visit<Native> for All<'_> {
    fn visit<S: Scheme<Native>>(&mut self) {
        let plan = Plan {
            vcpus: self.vcpus,
            passes: 1,
            every: Duration::from_millis(20),
            quiescent_every: 1,
            inject: INJECT,
            seed: 1,
        };
        let row = run::<S>(self.script, plan, &AtomicBool::new(false)).unwrap();
        self.rows.push((S::CLAIMS.holds, row));
    }
}

fn judge(vcpus: usize) {
    let script = load(&Source::embedded()).unwrap();
    let mut all = All {
        script: &script,
        vcpus,
        rows: Vec::new(),
    };
    each_native(&mut all);
    for (holds, row) in &all.rows {
        println!("{row:?}");
        if *holds {
            assert!(row.sound(), "{row:?}");
            assert_eq!((row.injected, row.expired), (INJECT, INJECT), "{row:?}");
            assert_eq!(row.passes, vcpus as u64);
        } else {
            // A guest in pieces may not live to its last injection, or to a suspend; those it had are all caught.
            let overtaken = row.injected - row.expired;
            assert!(overtaken > INJECT / 2, "{row:?}");
            assert_eq!(row.caught, overtaken, "{row:?}");
            assert!(
                row.stale_uses >= row.caught && row.wrong_frame > 0,
                "{row:?}"
            );
        }
    }
}

#[test]
fn one_vcpu() {
    judge(1);
}

#[test]
fn two_vcpus() {
    judge(2);
}

#[test]
fn eight_vcpus() {
    judge(8);
}

struct Migrated<'s> {
    script: &'s Script,
    plan: Plan,
    should: End,
    rows: Vec<(bool, Moved)>,
}

impl Visit<Native> for Migrated<'_> {
    fn visit<S: Scheme<Native>>(&mut self) {
        let stop = AtomicBool::new(false);
        let row = run_migrating::<S>(self.script, self.plan, &self.should, &stop).unwrap();
        self.rows.push((S::CLAIMS.holds, row));
    }
}

#[test]
fn migrated_while_it_runs() {
    let script = load(&Source::embedded()).unwrap();
    let plan = Plan {
        vcpus: 3,
        passes: 1,
        every: Duration::from_millis(20),
        quiescent_every: 1,
        inject: INJECT,
        seed: 1,
    };
    let should = undisturbed(&script, plan, &AtomicBool::new(false)).unwrap();
    let mut all = Migrated {
        script: &script,
        plan,
        should,
        rows: Vec::new(),
    };
    each_native(&mut all);
    for (holds, row) in &all.rows {
        let differences = &row.differences;
        assert!(differences.pages > 1000, "{differences:?}");
        assert!(!row.migrations.is_empty());
        for migration in &row.migrations {
            let rounds = &migration.rounds;
            assert!((2..=6).contains(&rounds.len()), "{rounds:?}");
            // Of all pages, the kernel's own L1 does not resolve while the guest runs; of a control's, what it
            // spoiled does not either.
            let resolved = rounds[0].sent + 1;
            assert!(resolved <= rounds[0].dirty, "{rounds:?}");
            assert!(!holds || resolved == rounds[0].dirty, "{rounds:?}");
        }
        if *holds {
            assert!(row.sound(), "{row:?}");
            assert_eq!(row.replay.injected, INJECT, "{row:?}");
        } else {
            assert!(row.replay.stale_uses > 0, "{row:?}");
            assert!(differences.count() > 0, "{row:?}");
        }
    }
}

/// What a forgotten quiescent point costs: whoever asks for a suspend waits for the end of the run.
#[test]
fn without_quiescent_points_a_suspend_waits_for_the_end() {
    let script = load(&Source::embedded()).unwrap();
    let replayed = |every, quiescent_every, inject| {
        let plan = Plan {
            vcpus: 1,
            passes: 1,
            every,
            quiescent_every,
            inject,
            seed: 1,
        };
        let row = run::<Qsbr<Native>>(&script, plan, &AtomicBool::new(false)).unwrap();
        assert!(row.sound(), "{row:?}");
        row
    };
    // Each injection asks for a suspend; nothing else does. Two of them may fall into one operation.
    let never = Duration::from_secs(3_600);
    assert!(replayed(never, 1, INJECT).suspends >= INJECT / 2);
    // One waits for the vCPU to be gone, and one more serves all who asked meanwhile.
    assert!(replayed(never, u64::MAX, INJECT).suspends <= 2);
    // While nobody injects they are timed.
    let timed = replayed(Duration::from_millis(1), 1, 0);
    assert_eq!(timed.wait_us.is_some(), timed.suspends > 0, "{timed:?}");
    assert!(timed.wait_us <= timed.longest_wait_us, "{timed:?}");
}

/// A real trace, by a vCPU, two, and more than any processor here has.
#[test]
fn a_real_trace_is_migrated_on_few_vcpus_and_on_many() {
    let trace = concat!(env!("CARGO_MANIFEST_DIR"), "/traces/shell.perf.xz");
    let script = load(&Source::from_argument(OsStr::new(trace))).unwrap();
    for vcpus in [1, 2, 16, 64] {
        let plan = Plan {
            vcpus,
            passes: 1,
            every: Duration::from_millis(500),
            quiescent_every: 1,
            inject: 0,
            seed: 1,
        };
        let stop = AtomicBool::new(false);
        let should = undisturbed(&script, plan, &stop).unwrap();
        let row = run_migrating::<PerCpu<Native>>(&script, plan, &should, &stop).unwrap();
        let pages = row.differences.pages;
        assert!(pages > 500 * vcpus as u64, "{row:?}");
        assert!(row.sound() && !row.migrations.is_empty(), "{row:?}");
    }
}
