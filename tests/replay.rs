//! Replays: sound schemes end clean, the control is caught every time.

use ptom::backend::Native;
use ptom::lab::replay::{Plan, Replayed, run};
use ptom::lab::trace::{Script, Source, load};
use ptom::native::each_native;
use ptom::scheme::{Scheme, Visit};
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
            // A guest in pieces may not live to its last injection; those it had are all caught.
            assert!(row.injected > INJECT / 2, "{row:?}");
            assert_eq!(row.caught, row.injected, "{row:?}");
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
