//! Random hypercalls, in any order: the guest can ask for what it likes, and the counts stay right.

mod call;
mod guest;

use call::{PAGES, call};
use guest::{boot, make};
use proptest::prelude::*;
use ptom::backend::Native;
use ptom::scheme::percpu::PerCpu;
use ptom::xen::frame::{Frame, Type};
use ptom::xen::{Config, Machine, RawMfn, Vcpu};

type Cpu<'m> = Vcpu<'m, Native, PerCpu<Native>>;

/// What Xen records of every frame.
fn records(machine: &Machine<Native, PerCpu<Native>>) -> Vec<(u64, u64, Type, bool)> {
    let host = machine.guest().host();
    let record = |frame: Frame| {
        let kind = if frame.type_count() > 0 {
            frame.kind()
        } else {
            Type::None
        };
        (frame.count(), frame.type_count(), kind, frame.pinned())
    };
    (0..host.frames())
        .map(|mfn| record(host.frame(RawMfn(mfn))))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    /// Whatever the guest asks for, counts equal references, types fit their entries, and a refused
    /// call leaves no reference behind.
    #[test]
    fn counts_stay_right(calls in prop::collection::vec(call(), 1..60)) {
        let machine = Machine::<Native, PerCpu<Native>>::new(Config::new(PAGES, 1)).unwrap();
        let mut cpu = machine.vcpu().unwrap();
        boot(&cpu);
        for call in calls {
            let before = records(&machine);
            let Some(refused) = make(&mut cpu, call) else { break };
            // Of all invariants the one that Xen answers for; the others are the guest's, and this one has
            // no manners: it leaves tables named by others at a suspend.
            let broken = machine.guest().broken().into_iter();
            let wrong: Vec<_> = broken.filter(|broken| broken.invariant() == 3).collect();
            prop_assert!(wrong.is_empty(), "{} after {:?}", wrong[0], call);
            prop_assert!(!refused || before == records(&machine), "{:?} left something", call);
        }
    }
}
